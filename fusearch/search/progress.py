"""How far a search is: a small value that the command line draws as one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fusearch import pareto
from fusearch.contracts import Objective, feasible

__all__ = ["Progress", "ProgressCallback", "Standing"]


@dataclass(frozen=True)
class Progress:
    """How far a search is.

    Attributes:
        done: Evaluations that finished with a result.
        running: Evaluations in flight.
        failed: Evaluations that failed.
        raced: Evaluations that a race stopped.
        repeated: Proposals answered from the study.
        total: Evaluations asked for; None where only a time limit ends the search.
        best: Best value of each objective.
        front: Number of designs on the front.
        seconds: Wall time since the driver started.
        seconds_left: Estimate of the time left; None before the first evaluation that tells.
        blamed: What is said of operators and encoders that fail in every design that has them, and are no longer proposed.
        refused: What is said of references that are too large to be trained.
        more_seeds: Seeds that designs got after the search, beside those of every design.
    """

    done: int
    running: int
    failed: int
    repeated: int
    total: int | None
    best: Mapping[str, float] = field(default_factory=dict)
    front: int = 0
    seconds: float = 0.0
    seconds_left: float | None = None
    blamed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    raced: int = 0
    more_seeds: int = 0


ProgressCallback = Callable[[Progress], None]


class Standing:
    """The best values and the front of the results so far; a result more costs the size of the front, not that of the study.

    Args:
        objectives: What is optimized; results that break a bound count for nothing.

    Attributes:
        best: Best value of each objective, by name; nothing without results.
    """

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self._objectives = objectives
        self._front: dict[tuple[float, ...], int] = {}
        self.best: dict[str, float] = {}

    def add(self, point: Sequence[float]) -> None:
        """Take note of the values of a result."""
        if not feasible(self._objectives, point):
            return
        for objective, value in zip(self._objectives, point, strict=True):
            self.best[objective.name] = objective.best([self.best.get(objective.name, value), value])
        new = tuple(point)
        if new in self._front:
            self._front[new] += 1
            return
        points = {**self._front, new: 1}
        kept = pareto.is_nondominated([*points], [objective.direction for objective in self._objectives])
        self._front = {each: number for (each, number), keep in zip(points.items(), kept, strict=True) if keep}

    @property
    def front(self) -> int:
        """Number of results that none dominates; equal ones all count."""
        return sum(self._front.values())
