"""How the front grew: what its figure showed after earlier trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fusearch.contracts import Objective
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.front import Point, attained_by, points_of

__all__ = ["FrontGrowth", "PlaneThen"]

#: Most trials after which the front is told; of more, so many, spread evenly.
_MOST_STOPS = 60


@dataclass(frozen=True)
class PlaneThen:
    """What a figure of the front showed: its points, and the corners of its line."""

    points: tuple[Point, ...]
    step: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class FrontGrowth:
    """A run as it stood after some of its trials, by the rules of the whole run.

    Attributes:
        found: The whole run.
    """

    found: Findings

    @cached_property
    def stops(self) -> tuple[int, ...]:
        """Numbers of the trials after which the front is told, the first and the last among them."""
        numbers = [record.number for record in self.found.complete]
        if not numbers:
            return ()
        places = np.unique(np.linspace(0, len(numbers) - 1, min(len(numbers), _MOST_STOPS)).astype(int))
        return tuple(numbers[place] for place in places)

    @cached_property
    def befores(self) -> Sequence[Findings]:
        """The run after each stop."""
        trials = self.found.trials
        return [Findings(replace(trials, records=[each for each in trials.records if each.number <= stop])) for stop in self.stops]

    def plane(self, x: Objective, y: Objective) -> list[PlaneThen]:
        """Return what the figure of two objectives showed after each stop."""
        found = [(before, points_of(before, x, y)) for before in self.befores]
        return [PlaneThen(points, attained_by(before, points, x, y)) for before, points in found]
