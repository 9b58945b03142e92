"""How many designs a space holds: counted where that is cheap, else estimated (decision 0026)."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fusearch.search_space.entries.parameter import Value
from fusearch.search_space.space.choosers import Chooser
from fusearch.search_space.space.pattern_program import draw_design
from fusearch.search_space.space.program import build
from fusearch.search_space.space.space_settings import SpaceSettings

__all__ = ["MAX_ENUMERATED", "PROBES", "Size", "count_designs"]

#: A space with no more decision sequences than this is enumerated.
MAX_ENUMERATED = 4000

#: Random walks through the program for an estimate.
PROBES = 2000


@dataclass(frozen=True)
class Size:
    """Number of designs in a space, recipes apart.

    Attributes:
        log10: Logarithm of the number to the base of ten.
        exact: The number itself, or None where it is estimated.
        method: How it was found.
    """

    log10: float
    exact: int | None
    method: str

    def __str__(self) -> str:
        return f"{self.exact:,} designs" if self.exact is not None else f"about 10^{self.log10:.1f} designs"


class _WalkChooser(Chooser):
    """Follows a prefix of choices, then decides by `rng` or takes the first, and notes how many choices there were."""

    def __init__(self, prefix: Sequence[int] = (), rng: random.Random | None = None) -> None:
        super().__init__()
        self.taken: list[int] = []
        self.widths: list[int] = []
        self._prefix, self._rng = prefix, rng

    def _pick(self, _key: str, _name: str, choices: Sequence[Value]) -> Any:
        step = len(self.taken)
        index = self._rng.randrange(len(choices)) if self._rng is not None else 0
        if step < len(self._prefix):
            index = self._prefix[step]
        self.taken.append(index)
        self.widths.append(len(choices))
        return choices[index]

    def _real(self, _key: str, low: float, _high: float) -> float:
        return low


def count_designs(settings: SpaceSettings) -> Size:
    """Count the designs of a space.

    A small space is enumerated, and designs with the same digest count once. Else the number of decision sequences is estimated by
    Knuth's method: the mean, over random walks, of the product of the numbers of choices met. It counts a design as often as it can be
    decided on, as with fusions in another order, and so leans to the high side.

    Reference: Knuth, Estimating the efficiency of backtrack programs, Mathematics of Computation 29, 1975.
    """
    rng = random.Random(0)  # noqa: S311  # a fixed walk, so that a space always has the same size
    walks = []
    for _ in range(PROBES):
        walk = _WalkChooser(rng=rng)
        draw_design(settings, walk)
        walks.append(math.prod(walk.widths))
    estimate = sum(walks) / len(walks)
    if estimate <= MAX_ENUMERATED:
        digests = _enumerate(settings)
        if digests is not None:
            return Size(math.log10(len(digests)), len(digests), "enumeration of all designs, by digest")
    return Size(math.log10(estimate), None, f"Knuth's estimate of the number of decision sequences, {PROBES} random walks")


def _enumerate(settings: SpaceSettings) -> set[str] | None:
    """Return the digests of all designs, or None where there are more decision sequences than the limit allows."""
    digests: set[str] = set()
    prefix: list[int] | None = []
    steps = 0
    while prefix is not None:
        steps += 1
        if steps > 2 * MAX_ENUMERATED:
            return None
        walk = _WalkChooser(prefix)
        digests.add(build(settings, draw_design(settings, walk)).digest)
        prefix = _next_prefix(walk)
    return digests


def _next_prefix(walk: _WalkChooser) -> list[int] | None:
    """Return the choices that lead to the next leaf: the last decision that has another choice left takes it."""
    for step in range(len(walk.taken) - 1, -1, -1):
        if walk.taken[step] + 1 < walk.widths[step]:
            return [*walk.taken[:step], walk.taken[step] + 1]
    return None
