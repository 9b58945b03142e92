"""A search, finished or not, as its folder and study tell it. Light: no torch, no ray; safe to read while the search goes on."""

from __future__ import annotations

import json
import math
import os
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusearch import pareto
from fusearch.contracts import Direction, Objective, primary, read_objectives
from fusearch.errors import ObjectiveError, RunError, suggestion
from fusearch.layout import CONFIG, DECISION
from fusearch.study import DRIVER, FORMAT, ROLES, STUDY_NAME, TrialRecord, open_study, read_records

if TYPE_CHECKING:
    import optuna

__all__ = ["Run", "read_config"]


def read_config(folder: Path) -> dict[str, Any]:
    """Read the `config.yaml` of a run folder.

    Raises:
        RunError: There is none, it is no run's configuration, or it was written by a newer format.
    """
    import yaml

    path = folder / CONFIG
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = f"expected a file {CONFIG!r} there (made by `fusearch search ... --out {folder}`)"
        raise RunError(f"no run in {str(folder)!r}: {hint}") from None
    except (OSError, yaml.YAMLError) as error:
        raise RunError(f"cannot read {str(path)!r}: {str(error).splitlines()[0]}") from None
    if not isinstance(config, dict) or not isinstance(config.get("format"), int) or "objectives" not in config:
        raise RunError(f"{str(path)!r} is not the configuration of a run: expected the keys 'format' and 'objectives'")
    if config["format"] > FORMAT:
        raise RunError(
            f"run folder {str(folder)!r} is of format {config['format']} (fusearch {config.get('fusearch', '?')}), "
            f"this fusearch reads formats up to {FORMAT}: install a newer one"
        )
    try:
        read_objectives(config["objectives"])
    except ObjectiveError as error:
        raise RunError(f"{str(path)!r}: {error}") from None
    return config


class Run:
    """A search, finished or not.

    Args:
        path: The run folder.

    Attributes:
        path: The run folder.
        config: `config.yaml` as it was resolved.
        objectives: What is optimized, in the order of the values of a trial.

    Raises:
        RunError: The folder holds no run, or one of a newer format.

    Example:
        >>> run = Run("runs/demo")
        >>> run.pick("best:auroc") in run.front()
        True
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = read_config(self.path)
        self.objectives = read_objectives(self.config["objectives"])
        self._study: optuna.Study | None = None

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def study(self) -> optuna.Study:
        """The Optuna study."""
        if self._study is None:
            where = self.config.get("study", {})
            self._study = open_study(self.path, where.get("storage"), where.get("name", STUDY_NAME))
        return self._study

    @property
    def primary(self) -> Objective:
        """The objective that decides where one number must: the first that is not a cost."""
        return primary(self.objectives)

    def records(self) -> list[TrialRecord]:
        """Return every trial as the study tells it now, in the order of their numbers."""
        return read_records(self.study, [objective.name for objective in self.objectives])

    def feasible(self) -> list[TrialRecord]:
        """Return the evaluated trials that keep the bounds of all objectives; repeats are left out."""
        return [
            record
            for record in self.records()
            if record.evaluated and all(objective.allows(record.objectives[objective.name]) for objective in self.objectives)
        ]

    def front(self) -> list[TrialRecord]:
        """Return the Pareto front, best value of the primary objective first; reference designs take part as any other.

        Dominance is decided among candidates (graph and recipe). Of the non-dominated candidates of one graph only the one
        with the best primary objective is shown (of equals the earliest), so each graph stands once.
        """
        records = self.feasible()
        mask = pareto.is_nondominated([list(record.objectives.values()) for record in records], self._directions)
        best: dict[str, TrialRecord] = {}
        for record in self._sorted(record for record, kept in zip(records, mask, strict=True) if kept):
            best.setdefault(record.digest, record)
        return list(best.values())

    def references(self) -> dict[str, TrialRecord]:
        """Return, for each role that was evaluated, its record with the best primary objective, over all graphs and recipes tried."""
        best: dict[str, TrialRecord] = {}
        for record in self._sorted(record for record in self.records() if record.evaluated and record.reference is not None):
            best.setdefault(str(record.reference), record)
        return {role: best[role] for role in [*ROLES, *sorted(set(best) - set(ROLES))] if role in best}

    def pick(self, how: str = "simplest") -> TrialRecord:
        """Choose one design.

        Args:
            how: `simplest`, the cheapest design within one standard error of the best in the primary objective (the standard
                error of the best: its spread over the square root of its number of members); `knee`, the point of the front
                nearest to the ideal; `best:METRIC`; `strategy`, the design that the run's strategy ended with; or the first
                characters of the digest of a graph or a candidate.

        Raises:
            RunError: There is no complete trial, or no (or more than one) design with that digest.
            ObjectiveError: The metric is not among the values.
        """
        records = self._sorted(self.feasible())
        if not records:
            raise RunError(f"run {str(self.path)!r} has no complete trial within the bounds to pick from")
        if how == "simplest":
            return self._simplest(records)
        if how == "knee":
            front = self.front()
            return front[pareto.knee([list(record.objectives.values()) for record in front], self._directions)]
        if how.startswith("best:"):
            return self._best(records, how.removeprefix("best:"))
        if how == "strategy":
            return self._by_digest(self._decided())
        return self._by_digest(how)

    def status(self) -> dict[str, Any]:
        """Return what `fusearch status --json` prints: one JSON-able document."""
        records, front = self.records(), self.front()
        points = [list(record.objectives.values()) for record in self.feasible()]
        reference = pareto.reference_point(points, self._directions) if points else None
        state, reason = self._state()
        counts = {
            "complete": sum(record.evaluated for record in records),
            "failed": sum(record.state == "failed" and not record.interrupted and record.repeat_of is None for record in records),
            "running": sum(record.state == "running" for record in records),
            "repeated": sum(record.state == "complete" and record.repeat_of is not None for record in records),
            "pruned": sum(record.state == "pruned" for record in records),
            "interrupted": sum(record.interrupted for record in records),
            "waiting": sum(record.state == "waiting" for record in records),
            "total": self.config.get("search", {}).get("trials"),
        }
        return {
            "state": state,
            "reason": reason,
            "trials": counts,
            "objectives": [{"name": objective.name, "direction": objective.direction} for objective in self.objectives],
            "front": [_entry(record) for record in front],
            "references": {role: _entry(record) for role, record in self.references().items()},
            "best": {
                objective.name: _entry(self._best(self._sorted(self.feasible()), objective.name)) if points else None
                for objective in self.objectives
            },
            "hypervolume": None if reference is None else pareto.hypervolume(points, self._directions, reference=reference),
            "hypervolume_reference": None if reference is None else list(reference),
            "seconds_left": self._seconds_left(records, counts) if state == "running" else None,
        }

    @property
    def _directions(self) -> list[Direction]:
        return [objective.direction for objective in self.objectives]

    def _sorted(self, records: Iterable[TrialRecord]) -> list[TrialRecord]:
        """Best primary objective first, then the other objectives in their order, then the earliest trial."""
        order = [self.primary, *(objective for objective in self.objectives if objective != self.primary)]
        return sorted(records, key=lambda record: [*(_loss(record.objectives, objective) for objective in order), record.number])

    def _simplest(self, records: list[TrialRecord]) -> TrialRecord:
        best = records[0]
        standard_error = best.spread.get(self.primary.name, 0.0) / math.sqrt(_num_members(best))
        limit = _loss(best.objectives, self.primary) + standard_error
        near = [record for record in records if _loss(record.objectives, self.primary) <= limit]
        costs = [objective.name for objective in self.objectives if objective.cost]
        # A user's own objectives have no known cost: what is minimized beside the primary one is taken for it.
        costs = costs or [
            objective.name for objective in self.objectives if objective != self.primary and objective.direction == "minimize"
        ]
        costs = costs or [name for name in ("macs", "parameters") if all(name in record.values for record in near)]
        if not costs:
            return best
        return min(near, key=lambda record: [record.values.get(name, record.objectives.get(name, math.inf)) for name in costs])

    def _best(self, records: list[TrialRecord], name: str) -> TrialRecord:
        named = [record for record in records if name in record.values]
        if not named:
            known = sorted({metric for record in records for metric in record.values})
            raise ObjectiveError(f"metric {name!r} is not among the values of run {str(self.path)!r}: {suggestion(name, known)}")
        objective = next((objective for objective in self.objectives if objective.name == name), None)
        try:
            objective = objective or Objective.parse(name)
        except ObjectiveError:
            raise ObjectiveError(
                f"metric {name!r}: whether more is better is not known; pick by an objective of the run, or by digest"
            ) from None
        return min(named, key=lambda record: _loss(record.values, objective))

    def _decided(self) -> str:
        """Return the digest of the candidate that the strategy ended with."""
        try:
            return str(json.loads((self.path / DECISION).read_text(encoding="utf-8"))["candidate"])
        except FileNotFoundError:
            name = (self.config.get("strategy") or {}).get("name", "graph")
            raise RunError(
                f"run {str(self.path)!r} has no decision of its strategy {name!r} to pick: expected 'simplest', 'knee' or a digest"
            ) from None

    def _by_digest(self, prefix: str) -> TrialRecord:
        records = self._sorted(record for record in self.records() if record.evaluated)
        found = [record for record in records if prefix and prefix in (record.digest[: len(prefix)], record.candidate[: len(prefix)])]
        if not found:
            known = sorted({record.digest for record in records})
            raise RunError(
                f"no design {prefix!r} in run {str(self.path)!r}: expected 'simplest', 'knee', 'best:METRIC' or a digest; "
                f"{suggestion(prefix, ['simplest', 'knee', *known])}"
            )
        graphs = {record.digest for record in found}
        if len(graphs) > 1:
            raise RunError(
                f"{prefix!r} fits {len(graphs)} designs of run {str(self.path)!r}: {', '.join(sorted(graphs))}; give more characters"
            )
        return found[0]

    def _state(self) -> tuple[str, str | None]:
        driver = self.study.user_attrs.get(DRIVER)
        if driver is None:
            return "stopped", "no driver has started it"
        if driver["state"] == "running" and driver["host"] == socket.gethostname() and not _is_alive(driver["pid"]):
            return "stopped", f"its driver (pid {driver['pid']}) is gone; resume to go on"
        return driver["state"], driver.get("reason")

    def _seconds_left(self, records: list[TrialRecord], counts: Mapping[str, Any]) -> float | None:
        seconds = [record.seconds for record in records if record.evaluated and record.seconds is not None]
        if not seconds or counts["total"] is None:
            return None
        left = max(0, counts["total"] - counts["complete"] - counts["failed"])
        return float(left) * sum(seconds) / len(seconds) / float(self.config["search"].get("workers") or 1)


def _loss(values: Mapping[str, float], objective: Objective) -> float:
    return -values[objective.name] if objective.direction == "maximize" else values[objective.name]


def _num_members(record: TrialRecord) -> int:
    members = record.details.get("members", 1)
    return max(1, members if isinstance(members, int) else len(members))


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


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
