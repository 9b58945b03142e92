"""One reading of a run: frozen, so that front, references, picks and status agree, though the search goes on meanwhile."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fusearch import pareto
from fusearch.contracts import Direction, Objective, costs, feasible, primary
from fusearch.driver_state import state_of
from fusearch.effort import count_races, count_trainings
from fusearch.errors import FusearchError, ObjectiveError, RunError, nearest, suggestion
from fusearch.layout import count_weights
from fusearch.more_seeds import count_more_seeds
from fusearch.ranking import best_of_each, is_near, ranked
from fusearch.settings import SELECTIONS, Pace, Settings
from fusearch.study import ROLES, TrialRecord, kind_of_reason

if TYPE_CHECKING:
    from fusearch.data.modality import Modality
    from fusearch.search_space import FusionGraph

__all__ = ["TEAM", "DesignKind", "Trials", "point_of"]

#: Names of single designs that a pick may be, beside `best:METRIC` and digests.
_PICKS = ("simplest", "best", "knee", "strategy")

#: The pick that is several designs.
TEAM = "team"

DesignKind = Literal["single", "reference", "searched"]


def point_of(record: TrialRecord, objectives: Sequence[Objective]) -> list[float]:
    """Return the values of a trial in the order of the objectives; NaN where it has none."""
    return [record.value(objective.name) for objective in objectives]


@dataclass(frozen=True)
class Trials:
    """What a run held at one moment; `Run.read` makes it.

    Attributes:
        records: Every trial, in the order of their numbers.
        objectives: What is optimized, in the order of the values of a trial.
        config: The run's `config.yaml`.
        path: The run folder, where there is one.
        driver: The note of who drives the run: `pid`, `host`, `state`, `reason`; None where no driver has started it.
        decision: What the strategy decided, None without one or before its decision.
        select: What designs are ranked and picked by, one of `SELECTIONS`; None: what the configuration says.

    Example:
        >>> from fusearch.run import Run
        >>> trials = Run("runs/demo").read()
        >>> trials.pick("best:auroc") in trials.front
        True
    """

    records: Sequence[TrialRecord]
    objectives: tuple[Objective, ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    driver: Mapping[str, Any] | None = None
    decision: Mapping[str, Any] | None = None
    select: str | None = None

    def __post_init__(self) -> None:
        if self.selected_by not in SELECTIONS:
            raise RunError(f"select {self.selected_by!r}: {suggestion(self.selected_by, SELECTIONS)}")

    @property
    def selected_by(self) -> str:
        """`metric`, `loss` or `both`: what was asked for, whether or not the trials tell a loss."""
        return self.select or str(self.config.get("search", {}).get("select", "metric"))  # version 0.1.0 knew no other

    @cached_property
    def primary(self) -> Objective:
        """The objective that decides where one number must: the first that is not a cost."""
        return primary(self.objectives)

    @cached_property
    def criteria(self) -> tuple[Objective, ...]:
        """What designs are ranked and picked by: the primary objective, the loss that is trained, or both, by the sum of their ranks.

        Where the primary objective is a cost, or the loss is not known as a metric of the trials, it is the primary objective alone.

        Raises:
            RunError: `select` asks for a loss that the trials do not tell. (A search is told before it has any.)
        """
        loss = None if self.selected_by == "metric" or self.primary.cost else self._trained_loss
        if loss is None and self.select in SELECTIONS[1:] and any(record.evaluated for record in self.records):
            raise RunError(f"select {self.select!r}: the trials of {self._name} tell no loss to pick by; expected 'metric'")
        if loss is None or loss.name == self.primary.name:
            return (self.primary,)
        return (loss,) if self.selected_by == "loss" else (self.primary, loss)

    @cached_property
    def evaluated(self) -> list[TrialRecord]:
        """The evaluated trials with a finite value of every objective, repeats left out, best first by `criteria`."""
        done = [record for record in self.records if record.evaluated and all(map(math.isfinite, point_of(record, self.objectives)))]
        return ranked(done, self.objectives, self.criteria)

    @cached_property
    def feasible(self) -> list[TrialRecord]:
        """The evaluated trials that keep the bounds of all objectives, best first."""
        return [record for record in self.evaluated if feasible(self.objectives, point_of(record, self.objectives))]

    @cached_property
    def front(self) -> list[TrialRecord]:
        """The Pareto front, best value of the primary objective first; reference designs take part as any other.

        Dominance is decided among candidates (graph and recipe). Of the non-dominated candidates of one graph only the one
        with the best primary objective is shown (of equals the earliest), so each graph stands once.
        """
        mask = pareto.is_nondominated(self._points, self._directions)
        kept = [record for record, keep in zip(self.feasible, mask, strict=True) if keep]
        return list(best_of_each(ranked(kept, self.objectives), lambda record: record.digest).values())

    @cached_property
    def references(self) -> dict[str, TrialRecord]:
        """For each role that was evaluated, its best record by `criteria`, over all graphs and recipes tried."""
        tried = (record for record in self.evaluated if record.reference is not None)
        best = best_of_each(tried, lambda record: str(record.reference))
        return {role: best[role] for role in [*ROLES, *sorted(set(best) - set(ROLES))] if role in best}

    def pick(self, how: str = "simplest") -> TrialRecord:
        """Choose one design.

        Args:
            how: `simplest`, the cheapest design that is at most one standard error behind the best in each of `criteria`, compared
                fold by fold (where folds are not told, the standard error of the best; where that is not known either, as with one
                fold, the best itself); `best`, the best by `criteria`; `knee`, the point of the front nearest to the ideal;
                `best:METRIC`; `strategy`, the design that the run's strategy ended with; or the first characters of the digest of a
                graph or a candidate.

        Raises:
            RunError: There is no complete trial, or no (or more than one) design with that digest.
            ObjectiveError: The metric is not among the values.
        """
        if not self.feasible:
            raise RunError(f"{self._name} has no complete trial within the bounds to pick from")
        if how == "simplest":
            return self._simplest()
        if how == "best":
            return self.feasible[0]
        if how == "knee":
            return self.front[pareto.knee([point_of(record, self.objectives) for record in self.front], self._directions)]
        if how.startswith("best:"):
            return self._best(how.removeprefix("best:"))
        if how == "strategy":
            return self._by_digest(self._decided())
        if how == TEAM:
            raise RunError(f"{TEAM!r} is several designs, and one was asked for: expected the digest of one of them")
        return self._by_digest(how)

    @cached_property
    def costs(self) -> list[Objective]:
        """What is told as the cost of a design: the costs among the objectives, else MACs and parameters where every design has them."""
        named = costs(self.objectives)
        default = [Objective.parse(name) for name in ("macs", "parameters")]
        return named or [each for each in default if all(each.name in record.values for record in self.feasible)]

    def simplicity(self, record: TrialRecord) -> list[float]:
        """Return what designs are ordered by where they are equally good: the cheaper comes first."""
        return [objective.loss(record.value(objective.name)) for objective in self.costs]

    @cached_property
    def modalities(self) -> tuple[Modality, ...]:
        """The modalities of the data, in their order; empty where one is of a kind that is not known here."""
        from fusearch.data.modality import Modality

        stated = self.config.get("space", {}).get("modalities", ())
        try:
            return tuple(Modality(entry["name"], entry["kind"], tuple(entry.get("shape", ()))) for entry in stated)
        except FusearchError:  # a kind of a plug-in that is not here: designs are told as the study holds them
            return ()

    @cached_property
    def graphs(self) -> dict[str, FusionGraph]:
        """Parsed designs by digest; a formula that cannot be read here (a plug-in that is not installed) is left out."""
        from fusearch.search_space import FusionGraph

        graphs: dict[str, FusionGraph] = {}
        for record in self.records:
            if record.formula and record.digest not in graphs:
                with suppress(FusearchError):
                    graphs[record.digest] = FusionGraph.parse(record.formula, self.modalities)
        return graphs

    @cached_property
    def reference_digests(self) -> frozenset[str]:
        """Graphs that were proposed as references, also those that were not the best of their role."""
        return frozenset(record.digest for record in self.records if record.reference)

    def kind_of_design(self, record: TrialRecord) -> DesignKind:
        """Return what a design is in the question what fusion buys: a single modality stays one also where the search proposed it."""
        graph = self.graphs.get(record.digest)
        if graph is not None and not graph.fusions:
            return "single"
        return "reference" if record.digest in self.reference_digests else "searched"

    @cached_property
    def untried_alone(self) -> tuple[str, ...]:
        """The modalities that no evaluated design has for itself: one of them may be the best single modality."""
        alone = [self.graphs[each.digest] for each in self.evaluated if self.kind_of_design(each) == "single"]
        tried = {stream.modality for graph in alone for stream in graph.streams}
        return tuple(each.name for each in self.modalities if each.name not in tried)

    @property
    def best_simple(self) -> TrialRecord | None:
        """The best of the references and of all single modalities that were tried: what a searched design has to beat."""
        return next(iter(self.simple), None)

    @cached_property
    def simple(self) -> list[TrialRecord]:
        """The references and all single modalities that were tried, best first."""
        return [record for record in self.feasible if self.kind_of_design(record) != "searched"]

    @property
    def described_task(self) -> Mapping[str, Any] | None:
        """`kind`, `name` and `labels` of the task; None where the configuration does not tell them."""
        data = self.config.get("evaluator", {}).get("data")
        return data.get("task") if isinstance(data, Mapping) else None

    @property
    def described_constant(self) -> Sequence[Sequence[float]]:
        """Outputs of the constant predictor in each fold; empty where the configuration does not tell them, as in version 0.1.0."""
        data = self.config.get("evaluator", {}).get("data")
        return data.get("constant", ()) if isinstance(data, Mapping) else ()

    @property
    def chosen_on_predictions(self) -> bool:
        """Whether the strategy made its design from the predictions that are kept, so that they no longer tell what that is worth."""
        return bool(self.decision and self.decision.get("chosen_on_predictions"))

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many trials became what: `complete` without the repeats, `failed` without those that a stop interrupted.

        `raced` were stopped by a race, `pruned` never trained.
        """
        kinds = Counter(_kind(record) for record in self.records)
        return {kind: kinds[kind] for kind in ("complete", "raced", "failed", "running", "repeated", "pruned", "interrupted", "waiting")}

    @cached_property
    def refused(self) -> dict[str, int]:
        """How many designs were not trained, by cause: the first reason of those that differ in numbers alone."""
        first: dict[str, str] = {}
        reasons = [record.reason for record in self.records if record.state == "pruned" and not record.raced]
        return dict(Counter(first.setdefault(kind_of_reason(reason), str(reason)) for reason in reasons))

    @cached_property
    def raced(self) -> list[TrialRecord]:
        """The trials that a race stopped, repeats left out."""
        return [record for record in self.records if _kind(record) == "raced"]

    @property
    def races(self) -> dict[str, Any]:
        """What races did: see `count_races`."""
        return count_races(self.raced, sum(len(record.by_fold(self.primary.name)) or 1 for record in self.evaluated))

    @property
    def more_seeds(self) -> dict[str, int]:
        """Which seeds came after the search: see `count_more_seeds`."""
        return count_more_seeds(self.records)

    @property
    def trainings(self) -> dict[str, Any]:
        """How trials were trained, in packs and with streams that were kept: see `count_trainings`."""
        return count_trainings(self.records, self.path)

    def status(self) -> dict[str, Any]:
        """Return what `fusearch status --json` prints: one JSON-able document."""
        reference = pareto.reference_point(self._points, self._directions) if self._points else None
        state, reason = state_of(self.driver)
        return {
            "state": state,
            "reason": reason,
            "trials": {**self.counts, "total": self.config.get("search", {}).get("trials")},
            "refused": self.refused,
            "races": self.races,
            "more_seeds": self.more_seeds,
            **self.trainings,
            "weights": count_weights(self.path),
            "objectives": [{"name": objective.name, "direction": objective.direction} for objective in self.objectives],
            "picked_by": [objective.name for objective in self.criteria],
            "front": [_entry(record) for record in self.front],
            "references": {role: _entry(record) for role, record in self.references.items()},
            "best": {objective.name: _entry(self._best(objective.name)) if self._points else None for objective in self.objectives},
            "hypervolume": None if reference is None else pareto.hypervolume(self._points, self._directions, reference=reference),
            "hypervolume_reference": None if reference is None else list(reference),
            "seconds_left": self._seconds_left() if state == "running" else None,
        }

    @property
    def state(self) -> str:
        """`running`, `finished` or `stopped`."""
        return state_of(self.driver)[0]

    @property
    def _trained_loss(self) -> Objective | None:
        """The metric of the trials that is the loss which their task trains; None where it has none, or they do not tell it."""
        from fusearch.tasks import TASKS, SeveralTasks, read_task

        described = self.described_task or {}
        name = read_task(described).trained if described.get("kind") in (*TASKS, SeveralTasks.kind) else ""
        told = [record.values for record in self.records if record.evaluated]
        return Objective.parse(name) if name and (not told or any(name in values for values in told)) else None

    @property
    def _name(self) -> str:
        return f"run {str(self.path)!r}"

    @cached_property
    def _points(self) -> list[list[float]]:
        return [point_of(record, self.objectives) for record in self.feasible]

    @property
    def _directions(self) -> list[Direction]:
        return [objective.direction for objective in self.objectives]

    def _simplest(self) -> TrialRecord:
        best = self.feasible[0]
        near = [record for record in self.feasible if record is best or all(is_near(record, best, each) for each in self.criteria)]
        return min(near, key=self.simplicity)

    def _best(self, name: str) -> TrialRecord:
        named = [record for record in self.feasible if name in record.values]
        if not named:
            known = sorted({metric for record in self.feasible for metric in record.values})
            raise ObjectiveError(f"metric {name!r} is not among the values of {self._name}: {suggestion(name, known)}")
        objective = next((objective for objective in self.objectives if objective.name == name), None)
        try:
            objective = objective or Objective.parse(name)
        except ObjectiveError:
            raise ObjectiveError(f"metric {name!r}: whether more is better is not known; pick by an objective or by digest") from None
        return min(named, key=lambda record: objective.loss(record.values[name]))

    def _decided(self) -> str:
        """Return the digest of the candidate that the strategy ended with."""
        if self.decision is None:
            name = (self.config.get("strategy") or {}).get("name", "graph")
            raise RunError(f"{self._name} has no decision of its strategy {name!r} to pick: expected 'simplest', 'knee' or a digest")
        return str(self.decision["candidate"])

    def _by_digest(self, prefix: str) -> TrialRecord:
        found = [each for each in self.evaluated if prefix and (each.digest.startswith(prefix) or each.candidate.startswith(prefix))]
        if not found:
            known = sorted({record.digest for record in self.evaluated})
            close = nearest(prefix, [*_PICKS, TEAM, *known])
            raise RunError(
                f"no design {prefix!r} in {self._name}: expected {', '.join(map(repr, _PICKS))}, 'best:METRIC', a digest, "
                f"or {TEAM!r} where several designs may be picked{f'; did you mean {close!r}?' if close else ''}"
            )
        graphs = {record.digest for record in found}
        if len(graphs) > 1:
            raise RunError(f"{prefix!r} fits {len(graphs)} designs of {self._name}: {', '.join(sorted(graphs))}; give more characters")
        return found[0]

    def _seconds_left(self) -> float | None:
        search = self.config.get("search", {})
        if search.get("trials") is None:
            return None
        pace = Pace()
        for record in [*self.evaluated, *self.raced]:  # of evaluation alone: a run may have been stopped for days
            if record.seconds is not None:
                pace.add((record.details.get("host"), record.details.get("worker")), record.seconds)
        done = self.counts["complete"] + self.counts["raced"] + self.counts["failed"]
        return Settings(trials=search["trials"]).seconds_left(0.0, done, pace, search.get("workers") or pace.num_workers)


def _entry(record: TrialRecord) -> dict[str, Any]:
    return {
        "digest": record.digest,
        "formula": record.formula,
        "values": dict(record.values),
        "trial": record.number,
        "spread": dict(record.spread),
        "candidate": record.candidate,
        "recipe": dict(record.recipe),
        "reference": record.reference,
    }


def _kind(record: TrialRecord) -> str:
    """What became of a trial, in one word of `Trials.counts`."""
    if record.interrupted:
        return "interrupted"
    if record.more_seeds_of is not None and record.state != "running":
        return "more seeds"  # told apart: they are no designs
    if record.repeat_of is None:
        return "raced" if record.state == "pruned" and record.raced else record.state
    return "repeated" if record.state in ("complete", "pruned") else "failed again"  # what fails again is counted once
