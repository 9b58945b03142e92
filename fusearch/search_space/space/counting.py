"""How many designs a space holds: counted where that is cheap, else estimated (decision 0026)."""

from __future__ import annotations

import contextlib
import itertools
import math
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fusearch.errors import FusearchError, SpaceError
from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.parts import Fusion
from fusearch.search_space.entries.parameter import Value
from fusearch.search_space.space.answers import num_spellings, read_answers
from fusearch.search_space.space.choosers import AnswerChooser, Chooser
from fusearch.search_space.space.pattern_answers import read_pattern_answers
from fusearch.search_space.space.pattern_program import draw_design
from fusearch.search_space.space.program import Parts, build
from fusearch.search_space.space.space_settings import SpaceSettings

__all__ = ["MAX_ENUMERATED", "PROBES", "Size", "all_parts", "count_designs"]

#: A space with no more decision sequences than this is enumerated.
MAX_ENUMERATED = 4000

#: Random walks through the program for an estimate.
PROBES = 2000

#: Of these, walks of which the number of sequences that lead to the same design is worked out.
EXAMINED = 100

#: Most orders of streams and fusions that are tried for that.
MAX_ORDERS = 24


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
    one digest: by an encoder longer than what is read of it, by fusions made and streams named in another order, by a last stage taken
    where only its mean counts.

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
            designs += walks[-1] / _num_sequences(settings, build(settings, parts))
    estimate = sum(walks) / len(walks)
    if estimate <= MAX_ENUMERATED:
        with contextlib.suppress(SpaceError):  # the estimate was too low
            digests = {build(settings, parts).digest for parts in all_parts(settings, 2 * MAX_ENUMERATED)}
            return Size(math.log10(len(digests)), len(digests), "enumeration of all designs, by digest")
    method = f"Knuth's estimate, {PROBES} random walks, each digest once"
    return Size(math.log10(estimate * designs / sequences), None, method)


def _num_sequences(settings: SpaceSettings, graph: FusionGraph) -> int:
    """Return how many sequences of decisions lead to the digest of a design, as far as they differ in what is named above."""
    found = set()
    for variant in itertools.islice(_orders(graph), MAX_ORDERS):
        for answers in _readings(settings, variant):
            chooser = AnswerChooser(answers)
            with contextlib.suppress(FusearchError):  # this order is none that the program asks for
                if build(settings, draw_design(settings, chooser)).digest == graph.digest:
                    found.add(frozenset(chooser.params.items()))
    return max(1, len(found)) * num_spellings(settings, graph) * _num_depths(graph)


def _readings(settings: SpaceSettings, graph: FusionGraph) -> Iterator[dict[str, Value]]:
    """Give the answers that may make a design; none for a join of joins that became one which no answer spells."""
    if settings.pattern is not None:
        yield from read_pattern_answers(settings, graph)
        return
    with contextlib.suppress(SpaceError):
        yield read_answers(settings, graph)


def _orders(graph: FusionGraph) -> Iterator[FusionGraph]:
    """Give the design with its fusions in every order in which they can be made, and the streams of each modality in every order."""
    modality_of = {stream.name: stream.modality for stream in graph.streams}
    for streams in itertools.permutations(graph.streams):
        if [modality_of[stream.name] for stream in streams] != list(modality_of.values()):
            continue
        for fusions in itertools.permutations(graph.fusions):
            made: set[str] = set()
            if all(_is_made(fusion, made, modality_of) for fusion in fusions):
                yield FusionGraph(graph.modalities, streams, fusions, graph.outputs, graph.training)


def _is_made(fusion: Fusion, made: set[str], streams: Collection[str]) -> bool:
    made.add(fusion.name)
    return all(arg.source in streams or arg.source in made for arg in fusion.args)


def _num_depths(graph: FusionGraph) -> int:
    """Return in how many ways the taps of embeddings and of last stages can be exchanged without another function."""
    ways = 1
    for place, fusion in enumerate(graph.fusions):
        for index, arg in enumerate(fusion.args):
            if arg.source not in {stream.name for stream in graph.streams} or arg.depth not in ("L", graph.num_stages(arg.source)):
                continue
            other = replace(arg, depth=graph.num_stages(arg.source) if arg.depth == "L" else "L")
            args = (*fusion.args[:index], other, *fusion.args[index + 1 :])
            fusions = (*graph.fusions[:place], replace(fusion, args=args), *graph.fusions[place + 1 :])
            with contextlib.suppress(FusearchError):
                changed = FusionGraph(graph.modalities, graph.streams, fusions, graph.outputs, graph.training)
                ways *= 2 if changed != graph and changed.digest == graph.digest else 1
    return ways


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
