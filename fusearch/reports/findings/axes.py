"""Axes of a figure: which scale, which ticks, which words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fusearch.contracts import Objective
from fusearch.pareto import is_logarithmic
from fusearch.reports.wording import metric_label, sentence_case, short_number

__all__ = ["Axis", "axis_of", "linear_ticks", "log_ticks"]


@dataclass(frozen=True)
class Axis:
    """One axis: the quantity, whether more or less of it is better (None: neither), and whether it is logarithmic."""

    name: str
    aim: Literal["more", "less"] | None
    log: bool

    @property
    def title(self) -> str:
        return sentence_case(metric_label(self.name)) + (f"  ({self.aim} is better)" if self.aim else "")

    def scaled(self, value: float) -> float:
        """Return the value as the axis measures it: its logarithm to base 10 on a logarithmic axis."""
        return math.log10(value) if self.log else value

    def unscaled(self, measure: float) -> float:
        """Return the value at a place on the axis; the inverse of `scaled`."""
        return math.pow(10.0, measure) if self.log else measure

    def ticks(self, low: float, high: float) -> list[tuple[float, str]]:
        """Return (value, label) of each tick between two values."""
        values = log_ticks(low, high) if self.log else linear_ticks(low, high)
        step = min((b - a for a, b in itertools.pairwise(values)), default=1.0)
        return [(value, short_number(value) if self.log or step >= 1 else f"{value:.{_decimals(step)}f}") for value in values]


def axis_of(objective: Objective, values: Sequence[float]) -> Axis:
    """Return the axis of an objective; a cost that spans more than one and a half decades is drawn on a logarithmic scale."""
    return Axis(objective.name, objective.aim, is_logarithmic(objective, values))


def linear_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers between two values, at steps of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten between two positive values; with 2 and 5 between them where there are fewer than three."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    decades = [10.0**power for power in powers if low <= 10.0**power <= high]
    if len(decades) >= 3:
        return decades
    return [factor * 10.0**power for power in powers for factor in (1, 2, 5) if low <= factor * 10.0**power <= high]


def _decimals(step: float) -> int:
    return max(0, -math.floor(math.log10(step) + 1e-9))
