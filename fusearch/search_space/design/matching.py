"""Whether a design is one of those that a pattern stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Protocol

from fusearch.search_space.design.parts import AUTO, Fusion, Output, Stream, Tap, Trunk
from fusearch.search_space.design.pattern_parts import UNKNOWN, PatternFusion, PatternOutput, PatternStream, PatternTap, Unknown
from fusearch.search_space.entries.operator import OPERATORS

__all__ = ["Design", "readings"]


class Design(Protocol):
    """What a pattern asks a design for; `FusionGraph` has it."""

    @property
    def streams(self) -> tuple[Stream, ...]: ...

    @property
    def fusions(self) -> tuple[Fusion, ...]: ...

    @property
    def outputs(self) -> tuple[Output, ...]: ...

    @property
    def training(self) -> str: ...

    def num_stages(self, name: str) -> int: ...


@dataclass(frozen=True)
class _Match:
    """What the names and letters of a pattern stand for, so far."""

    names: Mapping[str, str] = field(default_factory=dict)
    letters: Mapping[str, Unknown] = field(default_factory=dict)

    def bind(self, name: str, meaning: str) -> _Match | None:
        if name == UNKNOWN:
            return self
        if name in self.names:
            return self if self.names[name] == meaning else None
        return None if meaning in self.names.values() else _Match({**self.names, name: meaning}, self.letters)

    def bind_depth(self, depth: Unknown, actual: Unknown, num_stages: int) -> _Match | None:
        if actual == "L":
            actual = num_stages
        if depth in (UNKNOWN, actual) or (depth == "L" and actual == num_stages):
            return self
        if not isinstance(depth, str) or depth in ("L", "score", "*"):
            return None
        letter, _, plus = depth.partition("+")
        if plus:
            if not isinstance(actual, int) or actual < int(plus):
                return None
            actual -= int(plus)
        if letter in self.letters:
            return self if self.letters[letter] == actual else None
        return _Match(self.names, {**self.letters, letter: actual})


def readings(
    streams: Sequence[PatternStream],
    fusions: Sequence[PatternFusion],
    outputs: Sequence[PatternOutput],
    design: Design,
) -> Iterator[tuple[Mapping[str, str], Mapping[str, Unknown]]]:
    """Give what names and letters of the pattern stand for, in each way in which they can stand for parts and depths of the design.

    Args:
        streams: The pattern's streams.
        fusions: The pattern's fusions, each after those that it takes.
        outputs: The pattern's outputs.
        design: A design.
    """
    if len(fusions) != len(design.fusions) or len(outputs) != len(design.outputs) or len(streams) > len(design.streams):
        return
    for found in _match_fusions(fusions, streams, design, _Match()):
        whole = _match_outputs(outputs, streams, design, found)
        if whole is not None:
            yield whole.names, whole.letters


def _match_fusions(fusions: Sequence[PatternFusion], streams: Sequence[PatternStream], design: Design, so_far: _Match) -> Iterator[_Match]:
    if not fusions:
        yield so_far
        return
    first = fusions[0]
    for fusion in design.fusions:
        named = so_far.bind(first.name, fusion.name)
        if named is None or not first.allows(fusion.operator) or len(first.args) != len(fusion.args):
            continue
        if any(fusion.params.get(name) != value for name, value in first.params.items()):
            continue
        ordered = OPERATORS[fusion.operator].num_ordered(fusion.params, len(fusion.args))
        for found in _match_args(first.args, fusion.args, ordered, streams, design, named):
            if _allows_trunk(first.trunk, fusion.trunk, found):
                yield from _match_fusions(fusions[1:], streams, design, found)


def _match_args(
    wanted: Sequence[PatternTap],
    actual: Sequence[Tap],
    ordered: int,
    streams: Sequence[PatternStream],
    design: Design,
    so_far: _Match,
) -> Iterator[_Match]:
    """Match all arguments: each with the one at its place or, where their order does not matter, with any that is left."""
    if ordered:
        found: _Match | None = so_far
        for tap, other in zip(wanted[:ordered], actual[:ordered], strict=True):
            found = _match_tap(tap, other, streams, design, found) if found is not None else None
        if found is not None:
            yield from _match_args(wanted[ordered:], actual[ordered:], 0, streams, design, found)
        return
    if not wanted:
        yield so_far
        return
    # The argument with the fewest partners goes first: one without any ends the search at once.
    partners = [
        [(index, found) for index, tap in enumerate(actual) if (found := _match_tap(one, tap, streams, design, so_far)) is not None]
        for one in wanted
    ]
    tightest = min(range(len(wanted)), key=lambda place: len(partners[place]))
    for index, bound in partners[tightest]:
        rest = [*wanted[:tightest], *wanted[tightest + 1 :]]
        others = [*actual[:index], *actual[index + 1 :]]
        yield from _match_args(rest, others, 0, streams, design, bound)


def _match_tap(wanted: PatternTap, actual: Tap, streams: Sequence[PatternStream], design: Design, so_far: _Match) -> _Match | None:
    if wanted.port is not None and wanted.port != actual.port:
        return None
    found = so_far.bind(wanted.source, actual.source)
    if found is None or not _allows_stream(wanted.source, actual.source, streams, design):
        return None
    return found.bind_depth(wanted.depth, actual.depth, design.num_stages(actual.source))


def _allows_stream(wanted: str, actual: str, streams: Sequence[PatternStream], design: Design) -> bool:
    pattern = next((stream for stream in streams if stream.name == wanted), None)
    stream = next((stream for stream in design.streams if stream.name == actual), None)
    if pattern is None:
        return wanted == UNKNOWN or stream is None
    if stream is None or not (pattern.is_free or pattern.name == stream.name):
        return False
    return (
        pattern.modality in (None, stream.modality)
        and pattern.encoder in (None, stream.encoder)
        and all(stream.params.get(name) == value for name, value in pattern.params.items())
        and (pattern.tie is None or stream.tie is not None)
    )


def _allows_trunk(wanted: Trunk | None, actual: Trunk, found: _Match) -> bool:
    if wanted is None:
        return True
    if wanted.stream is not None:
        if actual.num_stages == 0:
            return True  # of a trunk that goes on, no stage of which is left or read, nothing is left (decision 0028)
        return actual.stream is not None and found.names.get(wanted.stream, actual.stream) == actual.stream
    return wanted.num_stages in (AUTO, actual.num_stages) and (wanted.family == actual.family or wanted.num_stages == 0)


def _match_outputs(outputs: Sequence[PatternOutput], streams: Sequence[PatternStream], design: Design, so_far: _Match) -> _Match | None:
    for order in permutations(design.outputs):
        found: _Match | None = so_far
        for wanted, actual in zip(outputs, order, strict=True):
            if found is None or wanted.task != actual.task:
                found = None
                break
            # A head on an embedding gives the class scores of its stream.
            source = replace(wanted.source, depth="L") if wanted.source.depth == "score" else wanted.source
            found = _match_tap(source, actual.source, streams, design, found)
        if found is not None:
            return found
    return None
