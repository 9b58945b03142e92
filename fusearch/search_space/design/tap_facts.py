"""What an edge of a design carries, as far as the design alone tells it: one token or many, and whose width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fusearch.search_space.design.parts import Tap
from fusearch.search_space.design.resolution import Resolution
from fusearch.search_space.entries.encoder import ENCODERS, WIDTH

__all__ = ["Carried", "carried_args"]


@dataclass(frozen=True)
class Carried:
    """What a tap carries.

    Attributes:
        many: Whether a sample has several tokens. A grid that its stages have brought down to one position counts as many.
        width: `recipe`, `scores`, or None where only the shapes tell it.
    """

    many: bool
    width: str | None = None


def carried_args(design: Resolution) -> dict[str, list[Carried]]:
    """Return what each argument of every fusion carries."""
    found: dict[str, list[Carried]] = {}
    for name in design.order:
        found[name] = [
            _of_stream(design, tap) if tap.source in design.streams else _of_fusion(design, tap, (name, index), found)
            for index, tap in enumerate(design.fusions[name].args)
        ]
    return found


def _of_fusion(design: Resolution, tap: Tap, reader: tuple[str, int], found: Mapping[str, Sequence[Carried]]) -> Carried:
    fusion, operator, args = design.fusions[tap.source], design.operators[tap.source], found[tap.source]
    depth = design.depth_of(tap)
    ports = design.ports[reader]
    many = any(args[port].many for port in ports) if ports else operator.has_many(fusion.params, tuple(arg.many for arg in args))
    if fusion.trunk.stream is not None and depth:
        return _at(design, fusion.trunk.stream, design.continued[fusion.name][1] + depth)
    if depth:
        return Carried(many, "recipe" if len(ports) < 2 else None)
    if operator.keeps == "each" and len(ports) == 1:
        return args[ports[0]]
    widths = {arg.width for arg in (args if operator.commutes(fusion.params) else args[:1])}
    return Carried(many, widths.pop() if operator.keeps == "first" and len(widths) == 1 else None)


def _of_stream(design: Resolution, tap: Tap) -> Carried:
    if tap.depth == "score":
        return Carried(False, "scores")
    if tap.depth == "*":
        return Carried(False)
    at = _at(design, tap.source, design.depth_of(tap))
    return Carried(False, at.width) if tap.depth == "L" else at


def _at(design: Resolution, name: str, depth: int) -> Carried:
    stream = design.streams[name]
    of_recipe = depth and ENCODERS[stream.encoder].recipe_width and WIDTH not in stream.params
    return Carried(design.has_many_at(name, depth), "recipe" if of_recipe else None)
