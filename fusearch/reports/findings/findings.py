"""A run, read once: what every table, figure and sentence of the report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusearch.contracts import Objective, feasible
from fusearch.errors import FusearchError
from fusearch.reports.findings.decided import Told, read_strategy
from fusearch.reports.findings.explanations import read_explanations
from fusearch.reports.findings.looks import Look, read_looks
from fusearch.reports.wording import role_label
from fusearch.run import Run
from fusearch.study import TrialRecord
from fusearch.trials import Trials, best_of_each, point_of, ranked

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
        """One trial for each graph that finished: the one on the front, or else its best by the main objective."""
        best = best_of_each(self.complete, self.objectives, lambda record: record.digest)
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
    def searched(self) -> list[TrialRecord]:
        """Designs that fuse, keep all bounds, and were not proposed as references."""
        return [
            record for record in self.designs if record.digest not in self.reference_digests and self.fuses(record) and self.allowed(record)
        ]

    @cached_property
    def baselines(self) -> list[TrialRecord]:
        """What a searched design has to beat: the references, and every single modality that was tried; those that keep all bounds."""
        unimodal = [record for record in self.designs if not self.fuses(record)]
        return [record for record in (*self.references.values(), *unimodal) if self.allowed(record)]

    def fuses(self, record: TrialRecord) -> bool:
        """Whether a design has a fusion; one that cannot be read here is taken to have."""
        graph = self.graphs.get(record.digest)
        return graph is None or bool(graph.fusions)

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

    @cached_property
    def reference_digests(self) -> frozenset[str]:
        """Graphs that were proposed as references, also those that were not the best of their role (the other single modalities)."""
        return frozenset(record.digest for record in self.records if record.reference) | frozenset(self.roles)

    @cached_property
    def graphs(self) -> dict[str, FusionGraph]:
        """Parsed designs by digest; a formula that cannot be read here (a plug-in that is not installed) is left out."""
        from fusearch.search_space import FusionGraph

        modalities = _modalities(self.config)
        graphs = {}
        for record in self.records:
            if record.digest in graphs or not record.formula:
                continue
            try:
                graphs[record.digest] = FusionGraph.parse(record.formula, modalities)
            except FusearchError:
                continue
        return graphs

    def text(self, record: TrialRecord) -> str:
        """Return the formula of a trial, a line for each fusion where it can be read here."""
        graph = self.graphs.get(record.digest)
        return str(graph) if graph is not None else record.formula

    @cached_property
    def modalities(self) -> list[str]:
        """Names of the modalities of the data, in their order."""
        return [modality.name for modality in _modalities(self.config)]

    def value(self, record: TrialRecord, name: str | None = None) -> float:
        """Return an objective of a trial, by default the main one; NaN where the trial has none."""
        return record.value(name or self.main.name)

    def allowed(self, record: TrialRecord) -> bool:
        """Whether a trial keeps the bounds of all objectives."""
        return feasible(self.objectives, point_of(record, self.objectives))

    def best(self, records: Sequence[TrialRecord]) -> TrialRecord | None:
        """Return the best of some trials, as `Run.pick` ranks them."""
        return next(iter(ranked(records, self.objectives)), None)

    def label(self, record: TrialRecord) -> str:
        """Return what a design is called in a sentence: its role, or its trial."""
        role = self.roles.get(record.digest)
        return role_label(role) if role else f"trial {record.number}"


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


def _modalities(config: Mapping[str, Any]) -> tuple[Any, ...]:
    from fusearch.data.modality import Modality

    stated = config.get("space", {}).get("modalities", ())
    try:
        return tuple(Modality(entry["name"], entry["kind"], tuple(entry.get("shape", ()))) for entry in stated)
    except FusearchError:  # a kind of a plug-in that is not here: designs are told as the study holds them
        return ()
