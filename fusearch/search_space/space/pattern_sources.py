"""What the `?` sources of a pattern stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from fusearch.errors import SpaceError
from fusearch.search_space.design.parts import RuleError
from fusearch.search_space.design.pattern import FusionPattern
from fusearch.search_space.design.pattern_parts import UNKNOWN, PatternFusion, PatternStream, PatternTap
from fusearch.search_space.design.structure import check_uses, coverage, topological_order
from fusearch.search_space.space.space_settings import SpaceSettings

__all__ = ["resolutions"]

#: Most ways to fill in `?` sources that are listed.
MAX_RESOLUTIONS = 2000


def resolutions(settings: SpaceSettings) -> dict[str, FusionPattern]:
    """Return every way to fill in the `?` sources of the pattern that obeys the rules of the language, by what stands for them.

    Raises:
        SpaceError: There is none, or there are too many to list.
    """
    return _resolutions(str(settings.pattern), len(settings.modalities) * settings.max_streams)


@cache
def _resolutions(text: str, room: int) -> dict[str, FusionPattern]:
    pattern = FusionPattern.parse(text)
    named = [stream.name for stream in pattern.streams]
    order = topological_order(pattern.fusions, {*named, UNKNOWN})
    fusions = [next(fusion for fusion in pattern.fusions if fusion.name == name) for name in order]
    found: dict[str, FusionPattern] = {}
    for filled, fresh in _fill(fusions, named, room - len(named)):
        streams = [*pattern.streams, *(PatternStream(name) for name in fresh)]
        try:
            _check_uses(filled, [stream.name for stream in streams], pattern)
        except RuleError:
            continue
        unknown = [arg.source for old, new in zip(fusions, filled, strict=True) for arg in _filled_in(old, new)]
        found[" ".join(unknown) or "given"] = FusionPattern(tuple(streams), filled, pattern.outputs, pattern.training)
        if len(found) > MAX_RESOLUTIONS:
            raise SpaceError(f"pattern: more than {MAX_RESOLUTIONS:,} ways to fill in its '?' sources, expected more names")
    if not found:
        raise SpaceError("pattern: no way to fill in its '?' sources obeys the rules, with the modalities that there are")
    return found


def _filled_in(old: PatternFusion, new: PatternFusion) -> list[PatternTap]:
    return [arg for wanted, arg in zip(old.args, new.args, strict=True) if wanted.source == UNKNOWN]


def _fill(fusions: Sequence[PatternFusion], named: Sequence[str], room: int) -> Iterator[tuple[tuple[PatternFusion, ...], list[str]]]:
    """Give the fusions with each `?` source a stream that is named, a fresh one, or an earlier fusion; fresh ones come in order."""
    places = [(at, index) for at, fusion in enumerate(fusions) for index, arg in enumerate(fusion.args) if arg.source == UNKNOWN]
    number = 1
    fresh_names: list[str] = []
    while len(fresh_names) < min(room, len(places)):
        if f"x{number}" not in named:
            fresh_names.append(f"x{number}")
        number += 1

    def go(at: int, chosen: list[str]) -> Iterator[list[str]]:
        if at == len(places):
            yield chosen
            return
        used = [name for name in fresh_names if name in chosen]
        offered = [*named, *fresh_names[: len(used) + 1], *(fusion.name for fusion in fusions[: places[at][0]])]
        for name in offered:
            yield from go(at + 1, [*chosen, name])

    for chosen in go(0, []):
        filled = [list(fusion.args) for fusion in fusions]
        for (at, index), name in zip(places, chosen, strict=True):
            filled[at][index] = replace(filled[at][index], source=name)
        whole = tuple(replace(fusion, args=tuple(args)) for fusion, args in zip(fusions, filled, strict=True))
        yield whole, [name for name in fresh_names if name in chosen]


def _check_uses(fusions: Sequence[PatternFusion], streams: Sequence[str], pattern: FusionPattern) -> None:
    order = topological_order(fusions, streams)
    by_name = {fusion.name: fusion for fusion in fusions}
    ends = [output.source.source for output in pattern.outputs]
    check_uses(order, by_name, streams, ends, coverage(order, by_name, streams), [stream.tie for stream in pattern.streams if stream.tie])
