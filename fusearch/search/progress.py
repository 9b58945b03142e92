"""How far a search is: a small value that the command line draws as one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fusearch.contracts import Objective

__all__ = ["Progress", "ProgressCallback", "best_values"]


@dataclass(frozen=True)
class Progress:
    """How far a search is.

    Attributes:
        done: Evaluations that finished with a result.
        running: Evaluations in flight.
        failed: Evaluations that failed.
        repeated: Proposals answered from the study.
        total: Evaluations asked for; None where only a time limit ends the search.
        best: Best value of each objective.
        front: Number of designs on the front.
        seconds: Wall time since the driver started.
        seconds_left: Estimate of the time left; None before the first evaluation.
        blamed: What is said of operators and encoders that fail in every design that has them, and are no longer proposed.
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


ProgressCallback = Callable[[Progress], None]


def best_values(points: Sequence[Sequence[float]], objectives: Sequence[Objective]) -> dict[str, float]:
    """Return the best value of each objective, by name; nothing without points."""
    if not points:
        return {}
    columns = zip(*points, strict=True)
    return {objective.name: objective.best(column) for objective, column in zip(objectives, columns, strict=True)}
