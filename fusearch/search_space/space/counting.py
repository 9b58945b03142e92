"""How many designs a space holds: counted where that is cheap, else estimated (decision 0026)."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fusearch.errors import SpaceError
from fusearch.search_space.entries.parameter import Value
from fusearch.search_space.space.answers import num_spellings
from fusearch.search_space.space.choosers import Chooser
from fusearch.search_space.space.pattern_program import draw_design
from fusearch.search_space.space.program import Parts, build
from fusearch.search_space.space.space_settings import SpaceSettings

__all__ = ["MAX_ENUMERATED", "PROBES", "Size", "all_parts", "count_designs"]

#: A space with no more decision sequences than this is enumerated.
MAX_ENUMERATED = 4000

#: Random walks through the program for an estimate.
PROBES = 2000

#: Of these, walks of which the number of sequences that lead to the same design is worked out.
EXAMINED = 200


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

    def _pick(self, _key: str, _name: str, choices: Sequence[Value], _weights: Sequence[float] | None = None) -> Any:
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
    Knuth's method, the mean, over random walks, of the product of the numbers of choices met, and divided by how many sequences lead to
    one design, as with an encoder longer than what is read of it. It counts a design as often as its fusions can be made in another
    order, and so leans to the high side.

    Reference: Knuth, Estimating the efficiency of backtrack programs, Mathematics of Computation 29, 1975.
    """
    rng = random.Random(0)  # noqa: S311  # a fixed walk, so that a space always has the same size
    walks, designs, sequences = [], 0.0, 0.0
    for number in range(PROBES):
        walk = _WalkChooser(rng=rng)
        parts = draw_design(settings, walk)
        walks.append(math.prod(walk.widths))
        if number < EXAMINED:
            sequences += walks[-1]
            designs += walks[-1] / num_spellings(settings, build(settings, parts))
    estimate = sum(walks) / len(walks)
    if estimate <= MAX_ENUMERATED:
        with contextlib.suppress(SpaceError):  # the estimate was too low
            digests = {build(settings, parts).digest for parts in all_parts(settings, 2 * MAX_ENUMERATED)}
            return Size(math.log10(len(digests)), len(digests), "enumeration of all designs, by digest")
    method = f"Knuth's estimate, {PROBES} random walks, each design once"
    return Size(math.log10(estimate * designs / sequences), None, method)


def all_parts(settings: SpaceSettings, limit: int) -> Iterator[Parts]:
    """Give the parts of every design, once for each sequence of decisions that leads to it.

    Raises:
        SpaceError: There are more sequences than `limit`.
    """
    prefix: list[int] | None = []
    steps = 0
    while prefix is not None:
        steps += 1
        if steps > limit:
            raise SpaceError(f"the space has more than {limit:,} sequences of decisions")
        walk = _WalkChooser(prefix)
        yield draw_design(settings, walk)
        prefix = _next_prefix(walk)


def _next_prefix(walk: _WalkChooser) -> list[int] | None:
    """Return the choices that lead to the next leaf: the last decision that has another choice left takes it."""
    for step in range(len(walk.taken) - 1, -1, -1):
        if walk.taken[step] + 1 < walk.widths[step]:
            return [*walk.taken[:step], walk.taken[step] + 1]
    return None
