"""Several runs side by side, such as one search with several seeds: their fronts, hypervolumes and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fusearch import pareto
from fusearch.contracts import Direction, Objective, costs
from fusearch.errors import RunError
from fusearch.inference import Answers, answer
from fusearch.run import Run
from fusearch.study import TrialRecord
from fusearch.trials import Trials, point_of

__all__ = ["Compared", "ComparedRun", "read_compared"]

Points = list[list[float]]


@dataclass(frozen=True)
class ComparedRun:
    """One of several runs.

    Attributes:
        name: What it is called: its folder, as far as that tells it from the others.
        state: `running`, `finished` or `stopped`.
        trials: Evaluated trials.
        best: Best value of the primary objective among its designs.
        hypervolume: Of its front, under the reference point of all runs, as a share of the box down to that point.
        curve: The same after its first 1, 2, ... evaluated trials.
        front: Points of its front in the plane that is drawn, best first.
        answers: What it may claim.
    """

    name: str
    state: str
    trials: int
    best: float
    hypervolume: float
    curve: tuple[float, ...]
    front: Points
    answers: Answers


@dataclass(frozen=True)
class Compared:
    """Runs with the same objectives.

    Attributes:
        objectives: What all of them optimized.
        plane: The two objectives of the drawing: cost across, performance up; one where there is one.
        runs: In the order in which they were given.
        attained: Share of the runs, in percent, that attained what lies behind a line -> the points of that line; empty below two runs or
            two objectives (the empirical attainment function of Fonseca and Fleming 1996).
        warnings: What makes the runs hard to compare.
    """

    objectives: tuple[Objective, ...]
    plane: tuple[Objective, ...]
    runs: tuple[ComparedRun, ...]
    attained: dict[int, Points]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what `fusearch compare --json` prints."""
        return {
            "objectives": [{"name": each.name, "direction": each.direction} for each in self.objectives],
            "runs": [{**asdict(run), "answers": run.answers.to_dict(), "curve": list(run.curve)} for run in self.runs],
            "attained": {str(share): points for share, points in self.attained.items()},
            "warnings": list(self.warnings),
        }


def read_compared(folders: Sequence[Path | str]) -> Compared:
    """Read several runs.

    Args:
        folders: Their folders, two or more.

    Raises:
        RunError: There are fewer than two, one stands twice, one is no run or has no evaluated trial, or their objectives differ.
    """
    paths = [Path(folder) for folder in folders]
    if len(paths) < 2:
        raise RunError(f"{len(paths)} run to compare, expected two or more")
    if len({path.resolve() for path in paths}) < len(paths):
        raise RunError("a run stands twice among those to compare")
    read = [Run(path).read() for path in paths]
    first = read[0]
    for path, trials in zip(paths, read, strict=True):
        if [str(each) for each in trials.objectives] != [str(each) for each in first.objectives]:
            ours, theirs = (", ".join(map(str, each.objectives)) for each in (first, trials))
            raise RunError(f"run {str(path)!r} optimized {theirs}, run {str(paths[0])!r} {ours}: expected the same objectives")
        if not trials.feasible:
            raise RunError(f"run {str(path)!r} has no complete trial within the bounds to compare")
    directions: list[Direction] = [objective.direction for objective in first.objectives]
    points = [[point_of(record, trials.objectives) for record in _in_order(trials)] for trials in read]
    every = [point for each in points for point in each]
    reference = pareto.reference_point(every, directions)
    box = pareto.hypervolume([_ideal(every, first.objectives)], directions, reference=reference)
    plane = _plane(first)
    runs = []
    for name, trials, mine in zip(_names(paths), read, points, strict=True):
        curve = tuple(float(value) / box for value in pareto.hypervolume_over_trials(mine, directions, reference=reference))
        front = [[record.value(each.name) for each in plane] for record in trials.front]
        best = trials.primary.best(record.value(trials.primary.name) for record in trials.feasible)
        runs.append(ComparedRun(name, trials.state, len(mine), best, curve[-1], curve, front, answer(trials)))
    return Compared(first.objectives, plane, tuple(runs), _attained([run.front for run in runs], plane), _warnings(_names(paths), read))


def _in_order(trials: Trials) -> list[TrialRecord]:
    return sorted(trials.feasible, key=lambda record: record.number)


def _ideal(points: Points, objectives: Sequence[Objective]) -> list[float]:
    return [objective.best(column) for objective, column in zip(objectives, zip(*points, strict=True), strict=True)]


def _plane(trials: Trials) -> tuple[Objective, ...]:
    others = [*costs(trials.objectives), *trials.objectives]
    across = next((objective for objective in others if objective != trials.primary), None)
    return (trials.primary,) if across is None else (across, trials.primary)


def _attained(fronts: Sequence[Points], plane: Sequence[Objective]) -> dict[int, Points]:
    """Return what at least one run, half of them, and all of them attained."""
    if len(plane) < 2 or len(fronts) < 2:
        return {}
    import moocore
    import numpy as np

    directions: list[Direction] = [objective.direction for objective in plane]
    sets = np.repeat(np.arange(1, len(fronts) + 1), [len(front) for front in fronts])
    losses = pareto.losses([point for front in fronts for point in front], directions)
    shares = sorted({100.0 / len(fronts), 50.0, 100.0})
    surfaces = moocore.eaf(losses, sets, percentiles=shares)
    attained = {}
    for share in np.unique(surfaces[:, -1]):
        chosen = surfaces[surfaces[:, -1] == share][:, :-1]
        ordered = chosen[np.argsort(chosen[:, 0])]
        attained[round(float(share))] = pareto.losses(ordered, directions).tolist()  # the loss of a loss is the value
    return attained


def _names(paths: Sequence[Path]) -> list[str]:
    """Return the shortest ends of the paths that tell them apart."""
    parts = [path.resolve().parts for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(each[-length:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def _warnings(names: Sequence[str], read: Sequence[Trials]) -> tuple[str, ...]:
    warnings = []
    for what, key in (("data", "data"), ("search space", "space")):
        prints = [_fingerprint(trials, key) for trials in read]
        if len(set(prints)) > 1:
            told = ", ".join(f"{name}: {each or 'unknown'}" for name, each in zip(names, prints, strict=True))
            warnings.append(f"the {what} differ{'s' if key == 'space' else ''} between the runs ({told})")
    selected = [" and ".join(each.name for each in trials.criteria) for trials in read]
    if len(set(selected)) > 1:
        told = ", ".join(f"{name}: {each}" for name, each in zip(names, selected, strict=True))
        warnings.append(f"the best designs are picked by different things in the runs ({told})")
    return tuple(warnings)


def _fingerprint(trials: Trials, key: str) -> str | None:
    held = trials.config.get("space") if key == "space" else trials.config.get("evaluator", {}).get("data")
    return held.get("fingerprint") if isinstance(held, dict) else None
