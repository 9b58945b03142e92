"""One reading of a run: frozen, so that front, references, picks and status agree, though the search goes on meanwhile."""

from __future__ import annotations

import math
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fusearch import pareto
from fusearch.contracts import Direction, Objective, costs, feasible, primary
from fusearch.errors import FusearchError, ObjectiveError, RunError, suggestion
from fusearch.settings import Settings
from fusearch.study import ROLES, TrialRecord, kind_of_reason, standard_error

if TYPE_CHECKING:
    from fusearch.data.modality import Modality
    from fusearch.search_space import FusionGraph

__all__ = ["DesignKind", "Trials", "best_of_each", "paired_error", "point_of", "ranked"]

DesignKind = Literal["single", "reference", "searched"]


def point_of(record: TrialRecord, objectives: Sequence[Objective]) -> list[float]:
    """Return the values of a trial in the order of the objectives; NaN where it has none."""
    return [record.value(objective.name) for objective in objectives]


def ranked(records: Iterable[TrialRecord], objectives: Sequence[Objective]) -> list[TrialRecord]:
    """Return trials best first: by the primary objective, then the other objectives in their order, then the earliest."""
    main = primary(objectives)
    order = [main, *(objective for objective in objectives if objective != main)]
    return sorted(records, key=lambda record: [*(each.loss(record.value(each.name)) for each in order), record.number])


def best_of_each(
    records: Iterable[TrialRecord], objectives: Sequence[Objective], group: Callable[[TrialRecord], str]
) -> dict[str, TrialRecord]:
    """Return the best trial of each group, the group of the best first."""
    best: dict[str, TrialRecord] = {}
    for record in ranked(records, objectives):
        best.setdefault(group(record), record)
    return best


def paired_error(first: TrialRecord, second: TrialRecord, name: str) -> float | None:
    """Return the standard error of the difference of two trials in a metric, compared fold by fold; None where that is not known.

    The same folds saw the same rows, so what is hard about a fold falls out.
    """
    ours, theirs = first.by_fold(name), second.by_fold(name)
    return standard_error([ours[fold] - theirs[fold] for fold in ours if fold in theirs])


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

    @cached_property
    def primary(self) -> Objective:
        """The objective that decides where one number must: the first that is not a cost."""
        return primary(self.objectives)

    @cached_property
    def evaluated(self) -> list[TrialRecord]:
        """The evaluated trials with a finite value of every objective, repeats left out, best first."""
        done = (record for record in self.records if record.evaluated)
        return ranked((record for record in done if all(map(math.isfinite, point_of(record, self.objectives)))), self.objectives)

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
        return list(best_of_each(kept, self.objectives, lambda record: record.digest).values())

    @cached_property
    def references(self) -> dict[str, TrialRecord]:
        """For each role that was evaluated, its record with the best primary objective, over all graphs and recipes tried."""
        tried = [record for record in self.evaluated if record.reference is not None]
        best = best_of_each(tried, self.objectives, lambda record: str(record.reference))
        return {role: best[role] for role in [*ROLES, *sorted(set(best) - set(ROLES))] if role in best}

    def pick(self, how: str = "simplest") -> TrialRecord:
        """Choose one design.

        Args:
            how: `simplest`, the cheapest design that is at most one standard error behind the best in the primary objective, compared
                fold by fold (where folds are not told, the standard error of the best; where that is not known either, as with one
                fold, the best itself); `knee`, the point of the front nearest to the ideal; `best:METRIC`; `strategy`, the design
                that the run's strategy ended with; or the first characters of the digest of a graph or a candidate.

        Raises:
            RunError: There is no complete trial, or no (or more than one) design with that digest.
            ObjectiveError: The metric is not among the values.
        """
        if not self.feasible:
            raise RunError(f"{self._name} has no complete trial within the bounds to pick from")
        if how == "simplest":
            return self._simplest()
        if how == "knee":
            return self.front[pareto.knee([point_of(record, self.objectives) for record in self.front], self._directions)]
        if how.startswith("best:"):
            return self._best(how.removeprefix("best:"))
        if how == "strategy":
            return self._by_digest(self._decided())
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
            if record.digest in graphs or not record.formula:
                continue
            try:
                graphs[record.digest] = FusionGraph.parse(record.formula, self.modalities)
            except FusearchError:
                continue
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
        """How many trials became what: `complete` without the repeats, `failed` without those that a stop interrupted."""
        kinds = Counter(_kind(record) for record in self.records)
        return {kind: kinds[kind] for kind in ("complete", "failed", "running", "repeated", "pruned", "interrupted", "waiting")}

    @cached_property
    def refused(self) -> dict[str, int]:
        """How many designs were not trained, by cause: the first reason of those that differ in numbers alone."""
        first: dict[str, str] = {}
        reasons = [record.reason for record in self.records if record.state == "pruned"]
        return dict(Counter(first.setdefault(kind_of_reason(reason), str(reason)) for reason in reasons))

    def status(self) -> dict[str, Any]:
        """Return what `fusearch status --json` prints: one JSON-able document."""
        points = self._points
        reference = pareto.reference_point(points, self._directions) if points else None
        state, reason = self._state()
        counts = {**self.counts, "total": self.config.get("search", {}).get("trials")}
        return {
            "state": state,
            "reason": reason,
            "trials": counts,
            "refused": self.refused,
            "objectives": [{"name": objective.name, "direction": objective.direction} for objective in self.objectives],
            "front": [_entry(record) for record in self.front],
            "references": {role: _entry(record) for role, record in self.references.items()},
            "best": {objective.name: _entry(self._best(objective.name)) if points else None for objective in self.objectives},
            "hypervolume": None if reference is None else pareto.hypervolume(points, self._directions, reference=reference),
            "hypervolume_reference": None if reference is None else list(reference),
            "seconds_left": self._seconds_left() if state == "running" else None,
        }

    @property
    def state(self) -> str:
        """`running`, `finished` or `stopped`."""
        return self._state()[0]

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
        best, main = self.feasible[0], self.primary
        near = [best]
        for record in self.feasible[1:]:
            error = paired_error(best, record, main.name)
            error = (best.standard_error(main.name) or 0.0) if error is None else error
            if main.loss(record.value(main.name)) <= main.loss(best.value(main.name)) + error:
                near.append(record)
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
            raise ObjectiveError(
                f"metric {name!r}: whether more is better is not known; pick by an objective of the run, or by digest"
            ) from None
        return min(named, key=lambda record: objective.loss(record.values[name]))

    def _decided(self) -> str:
        """Return the digest of the candidate that the strategy ended with."""
        if self.decision is None:
            name = (self.config.get("strategy") or {}).get("name", "graph")
            raise RunError(f"{self._name} has no decision of its strategy {name!r} to pick: expected 'simplest', 'knee' or a digest")
        return str(self.decision["candidate"])

    def _by_digest(self, prefix: str) -> TrialRecord:
        found = [
            record for record in self.evaluated if prefix and prefix in (record.digest[: len(prefix)], record.candidate[: len(prefix)])
        ]
        if not found:
            known = sorted({record.digest for record in self.evaluated})
            raise RunError(
                f"no design {prefix!r} in {self._name}: expected 'simplest', 'knee', 'best:METRIC', 'strategy' or a digest; "
                f"{suggestion(prefix, ['simplest', 'knee', 'strategy', *known])}"
            )
        graphs = {record.digest for record in found}
        if len(graphs) > 1:
            raise RunError(f"{prefix!r} fits {len(graphs)} designs of {self._name}: {', '.join(sorted(graphs))}; give more characters")
        return found[0]

    def _state(self) -> tuple[str, str | None]:
        if self.driver is None:
            return "stopped", "no driver has started it"
        state, host, pid = self.driver["state"], self.driver["host"], self.driver["pid"]
        if state == "running" and host == socket.gethostname() and not _is_alive(pid):
            return "stopped", f"its driver (pid {pid}) is gone; resume to go on"
        return state, self.driver.get("reason")

    def _seconds_left(self) -> float | None:
        search = self.config.get("search", {})
        seconds = [record.seconds for record in self.evaluated if record.seconds is not None]
        if not seconds or search.get("trials") is None:
            return None
        elapsed = sum(seconds) / float(search.get("workers") or 1)  # of evaluation alone: a run may have been stopped for days
        return Settings(trials=search["trials"]).seconds_left(elapsed, self.counts["complete"] + self.counts["failed"], len(seconds))


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
    if record.repeat_of is None:
        return record.state
    return "repeated" if record.state == "complete" else "failed again"  # what fails again is counted once


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
