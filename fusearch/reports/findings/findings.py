"""A run, read once: what every table, figure and sentence of the report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusearch.contracts import Objective, feasible
from fusearch.inference import Answers, answer, status_with_answers
from fusearch.inference.team_front import TeamPoint, front_of_teams
from fusearch.ranking import best_of_each
from fusearch.reports.findings.decided import Told, read_strategy
from fusearch.reports.findings.explanations import read_explanations
from fusearch.reports.findings.influence import Influence, influence_of_choices
from fusearch.reports.findings.learning import Learned, read_learned
from fusearch.reports.findings.level_scores import ColumnScores, read_level_scores
from fusearch.reports.findings.looks import Look, read_looks
from fusearch.reports.findings.predicted import Predicted, read_predicted
from fusearch.reports.findings.published import Published, read_published
from fusearch.reports.findings.shown_masks import ShownMasks, read_shown_masks
from fusearch.reports.wording import metric_label, number, role_label, sentence_case
from fusearch.run import Run
from fusearch.study import TrialRecord
from fusearch.trials import Trials, point_of

if TYPE_CHECKING:
    from fusearch.search_space import FusionGraph

__all__ = ["Findings", "read_findings"]


@dataclass(frozen=True)
class Findings:
    """What a run found: one reading of its trials, and what stands beside them in its folder.

    Attributes:
        trials: The trials, read once.
        looks: What `fusearch confirm` found on the test split, if it was asked.
        strategy: What the strategy of the run decided; None without one, or before its decision.
        explanations: What `fusearch explain` found, in the order of the candidates' digests.
    """

    trials: Trials
    looks: Sequence[Look] = ()
    strategy: Told | None = None
    explanations: Sequence[Mapping[str, Any]] = ()

    @property
    def records(self) -> Sequence[TrialRecord]:
        """Every trial, by number."""
        return self.trials.records

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What was optimized."""
        return self.trials.objectives

    @property
    def main(self) -> Objective:
        """The objective that says how good a design is: the first that is not a cost."""
        return self.trials.primary

    @property
    def front(self) -> Sequence[TrialRecord]:
        """The designs on the Pareto front, each graph once."""
        return self.trials.front

    @property
    def references(self) -> Mapping[str, TrialRecord]:
        """Reference designs by role; roles without a finished trial are missing."""
        return self.trials.references

    @cached_property
    def recommended(self) -> TrialRecord | None:
        """The design that `--pick simplest` takes, or None where no trial has finished."""
        return self.trials.pick("simplest") if self.trials.feasible else None

    @cached_property
    def answers(self) -> Answers:
        """What the run may claim, estimated once for every document."""
        return answer(self.trials)

    @cached_property
    def teams(self) -> tuple[TeamPoint, ...]:
        """What a few designs together reach at what cost; empty where no team is worth it, or predictions are missing."""
        return front_of_teams(self.trials)

    def status(self) -> dict[str, Any]:
        """Return what `fusearch status --json` prints."""
        return status_with_answers(self.trials, lambda: self.answers)

    @cached_property
    def predicted(self) -> Predicted:
        """What the recommended design predicted of held-out rows, and the best simple design beside it."""
        return read_predicted(self.trials, self.recommended, self.named)

    @cached_property
    def shown_masks(self) -> ShownMasks | None:
        """Some of the masks that they predicted, where a run keeps them."""
        return read_shown_masks(self.trials, self.recommended, self.named)

    @cached_property
    def learned(self) -> Learned:
        """How the members of the recommended design learned, and those of the best references."""
        return read_learned(self.trials, self.recommended, self.named)

    @cached_property
    def level_scores(self) -> tuple[ColumnScores, ...]:
        """How good the recommended design is for each level of the columns that rows are told apart by."""
        return read_level_scores(self.trials, self.recommended, self.named)

    @cached_property
    def influence(self) -> Influence:
        """How much the rank of a trial hangs on each choice."""
        return influence_of_choices(self.trials)

    @cached_property
    def published(self) -> Published:
        """Where the published designs stand, and which is nearest to each design on the front."""
        return read_published(self.trials)

    @property
    def config(self) -> Mapping[str, Any]:
        """The run's `config.yaml`."""
        return self.trials.config

    @property
    def folder(self) -> Path | None:
        """The run folder, where there is one."""
        return self.trials.path

    @cached_property
    def complete(self) -> list[TrialRecord]:
        """Finished trials with a finite value of every objective, repeats left out, by number."""
        return sorted(self.trials.evaluated, key=lambda record: record.number)

    @cached_property
    def designs(self) -> list[TrialRecord]:
        """One trial for each graph that finished: the one on the front, or else its best."""
        best = best_of_each(self.trials.evaluated, lambda record: record.digest)
        best |= {record.digest: record for record in (*self.references.values(), *self.front)}
        return sorted(best.values(), key=lambda record: record.number)

    @cached_property
    def quantities(self) -> list[str]:
        """Names of all metrics and costs: the objectives first, then the rest as the trials report them."""
        names = dict.fromkeys(objective.name for objective in self.objectives)
        for record in self.records:
            names |= dict.fromkeys(record.values)
        return list(names)

    @cached_property
    def carded(self) -> list[TrialRecord]:
        """Designs that are worth a card each: the recommended one, the front, the references; each graph once."""
        shown = {record.digest: record for record in (*self.front, *self.references.values())}
        if self.recommended is not None and self.recommended.digest not in shown:
            return [self.recommended, *shown.values()]
        return list(shown.values())

    @cached_property
    def front_digests(self) -> frozenset[str]:
        return frozenset(record.digest for record in self.front)

    @cached_property
    def roles(self) -> dict[str, str]:
        """Role of each reference graph by digest; of two roles the first."""
        roles: dict[str, str] = {}
        for role, record in self.references.items():
            roles.setdefault(record.digest, role)
        return roles

    @property
    def graphs(self) -> Mapping[str, FusionGraph]:
        """Parsed designs by digest; a formula that cannot be read here is left out."""
        return self.trials.graphs

    def text(self, record: TrialRecord) -> str:
        """Return the formula of a trial, a line for each fusion where it can be read here."""
        graph = self.graphs.get(record.digest)
        return str(graph) if graph is not None else record.formula

    @cached_property
    def modalities(self) -> list[str]:
        """Names of the modalities of the data, in their order."""
        return [modality.name for modality in self.trials.modalities]

    @cached_property
    def data_notes(self) -> list[str]:
        """What a reader should know of the data: which class is positive, and what a guess reaches in the metrics that were optimized."""
        told = self._data
        chance = told.get("chance", {})
        named = [objective.name for objective in self.objectives if objective.name in chance]
        levels = [f"{sentence_case(metric_label(name))} of a guess: {number(chance[name])}." for name in named]
        partly = {objective.name: told.get("defined", {}).get(objective.name) for objective in self.objectives}
        folds = [
            f"{sentence_case(metric_label(name))} is defined in {some[0]} of {some[1]} folds." for name, some in partly.items() if some
        ]
        return [text for text in (str(told.get("note", "")), *levels, *folds) if text]

    @cached_property
    def data_warnings(self) -> list[str]:
        """What `fusearch check` warns of."""
        return [str(warning) for warning in self._data.get("warnings", ())]

    @property
    def _data(self) -> Mapping[str, Any]:
        data = self.config.get("evaluator", {}).get("data", {})
        return data if isinstance(data, Mapping) else {}

    def value(self, record: TrialRecord, name: str | None = None) -> float:
        """Return an objective of a trial, by default the main one; NaN where the trial has none."""
        return record.value(name or self.main.name)

    def allowed(self, record: TrialRecord) -> bool:
        """Whether a trial keeps the bounds of all objectives."""
        return feasible(self.objectives, point_of(record, self.objectives))

    def label(self, record: TrialRecord) -> str:
        """Return what a design is called in a sentence: its role, or its trial."""
        role = self.roles.get(record.digest)
        return role_label(role) if role else f"trial {record.number}"

    def named(self, record: TrialRecord) -> str:
        """Return what a design is called in a legend: its role, and its trial."""
        trial, called = f"trial {record.number}", self.label(record).removeprefix("the ")
        return called if called == trial else f"{called}, {trial}"


def read_findings(run: Run | Path | str) -> Findings:
    """Read a run, or the run in a folder.

    Raises:
        RunError: There is no run in that folder, or it is of a newer format.
    """
    if isinstance(run, str | Path):
        run = Run(Path(run))
    trials = run.read()
    return Findings(
        trials,
        looks=read_looks(run.path, trials.primary),
        strategy=read_strategy(trials),
        explanations=read_explanations(run.path),
    )
