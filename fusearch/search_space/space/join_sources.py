"""What a fusion of a space may take, and which operators can join it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fusearch.search_space.design.parts import Depth, Stream, Tap
from fusearch.search_space.design.ports import default_ports, port_name
from fusearch.search_space.encoders import FLATTEN
from fusearch.search_space.entries.encoder import ENCODERS
from fusearch.search_space.entries.operator import Operator
from fusearch.search_space.space.space_settings import SpaceSettings

__all__ = ["Argument", "JoinSource", "able_operators", "argument_of", "joins_anew", "source_of", "with_first"]


@dataclass
class JoinSource:
    """Something that a fusion may take."""

    name: str
    depths: tuple[Depth, ...]
    context: str
    many: tuple[bool, ...] = ()  # of a stream: whether a sample has several tokens, at each depth; of a fusion, of each of its results
    args: tuple[Tap, ...] = ()  # of a fusion with ports: what its results come from
    operator: str = ""  # of a fusion
    has_grid: bool = False  # with no stage applied, or at any depth for a stream and a trunk that continues one
    continues: bool = False
    origin: tuple[str, int] | None = None  # stream and stage that its state at depth 0 belongs to
    is_open: bool = True  # nothing has taken it yet


@dataclass(frozen=True)
class Argument:
    """What a fusion takes, and what is known of it."""

    tap: Tap
    many: bool
    has_grid: bool
    origin: tuple[str, int] | None  # stream and stage that its state belongs to, where a trunk could go on with that stream
    operator: str  # that gave it and would be joined with this one, where no stage is between them


def source_of(settings: SpaceSettings, stream: Stream) -> JoinSource:
    """Return what fusions may take of a stream."""
    encoder = ENCODERS[stream.encoder]
    num_stages = encoder.num_stages(stream.params)
    modality = next(modality for modality in settings.modalities if modality.name == stream.modality)
    many = tuple(
        encoder.has_many(depth, positions=bool(modality.layout.positions))
        and not encoder.comes_to_one(depth, modality.positions, stream.params)
        for depth in range(num_stages + 1)
    )
    depths: tuple[Depth, ...] = tuple(range(num_stages + 1))
    pooled = encoder.has_many(num_stages, positions=bool(modality.layout.positions))
    if pooled:
        depths = (*depths, "L")
    if settings.all_stages and num_stages > 0:
        depths = (*depths, "*")
    context = f"{stream.encoder}{num_stages}{'L' if pooled else ''}"
    if "scores_beside_features" in settings.extras:
        depths, context = (*depths, "score"), f"{context}S"
    has_grid = modality.has_grid and encoder.name != FLATTEN.name
    return JoinSource(stream.name, depths, context, many, has_grid=has_grid, origin=(stream.name, 0))


def able_operators(settings: SpaceSettings, args: list[Argument]) -> tuple[list[Argument], dict[str, tuple[int, ...]]]:
    """Return the arguments and, by the operators that can join them, which of them may come first.

    Where every operator would only go on with the join that an argument comes from, a stage is put between. In a space of nothing else an
    operator is offered all the same.
    """
    operators = {text: settings.joins[text][0] for text in settings.features if settings.joins[text][0].takes(len(args))}
    idle = "idle_parts" in settings.extras
    while True:
        able = {text: first for text, operator in operators.items() if (first := _able_first(operator, args, idle=idle))}
        joined = next((place for place, arg in enumerate(args) if arg.operator), None)
        if able or joined is None or not settings.max_trunk:
            break
        deeper = replace(args[joined], tap=replace(args[joined].tap, depth=1), has_grid=False, origin=None, operator="")
        args = [*args[:joined], deeper, *args[joined + 1 :]]
    for text, operator in () if able else operators.items():
        places = range(1 if operator.symmetric else len(args))
        able[text] = tuple(place for place in places if not operator.needs_grid or args[place].has_grid)
    return args, {text: first for text, first in able.items() if first}


def _able_first(operator: Operator, args: list[Argument], *, idle: bool) -> tuple[int, ...]:
    """Return the arguments that may come first, so that every part of the operator can be trained and none is another one's in disguise.

    Of a symmetric operator the order means nothing, so that it is the first one, or none.
    """
    places = range(1 if operator.symmetric else len(args))
    return tuple(place for place in places if _is_able(operator, with_first(args, place), idle=idle))


def _is_able(operator: Operator, args: list[Argument], *, idle: bool) -> bool:
    has_grid = any(arg.has_grid for arg in args) if operator.symmetric else args[0].has_grid
    return (
        (has_grid or not operator.needs_grid)
        and joins_anew(operator, [arg.tap for arg in args])
        and (idle or operator.works(tuple(arg.many for arg in _distinct(operator, args))))
        and not any(arg.operator in operator.absorbs for arg in args[operator.absorbs_from :])
    )


def joins_anew(operator: Operator, taps: Sequence[Tap]) -> bool:
    """Whether what is taken twice makes a join of its own: neither zero nor what the operator makes of less."""
    if operator.repeats in ("once", "nothing"):
        return len(set(taps)) == len(taps)
    again = taps[operator.repeats_from :]
    return operator.repeats == "count" or len(again) < 2 or len(set(again)) > 1


def _distinct(operator: Operator, args: list[Argument]) -> list[Argument]:
    """Return the arguments without repetition: a key that stands there twice is one key to an attention, but a query beside it is none."""
    taps, start = [arg.tap for arg in args], int(operator.keeps == "first")
    return [arg for index, arg in enumerate(args) if index < start or arg.tap not in taps[start:index]]


def with_first(args: list[Argument], first: int) -> list[Argument]:
    """Return the arguments with that one before the others."""
    return [args[first], *args[:first], *args[first + 1 :]]


def argument_of(source: JoinSource, tap: Tap, taken: set[str]) -> Argument:
    """Return what is known of a tap of a fusion that takes these sources."""
    if source.args and tap.port is not None:
        many = source.many[[port_name(source.args, index) for index in range(len(source.args))].index(tap.port)]
    elif source.args:
        # Of an operator with ports a fusion reads those of its own other arguments, else all of them.
        read = default_ports(source.args, [other for other in taken if other != source.name])
        many = any(source.many[port] for port in read)
    elif source.operator:
        many = source.many[0]
    else:
        many = isinstance(tap.depth, int) and source.many[tap.depth]
    operator = source.operator if tap.depth == 0 and not source.continues else ""
    return Argument(tap, many, _tap_has_grid(source, tap), _origin(source, tap), operator)


def _tap_has_grid(source: JoinSource, tap: Tap) -> bool:
    return source.has_grid and (tap.depth == 0 or source.continues or source.origin == (source.name, 0)) and isinstance(tap.depth, int)


def _origin(source: JoinSource, tap: Tap) -> tuple[str, int] | None:
    """Return the stream and stage that a tap's state belongs to, where a trunk could go on with that stream."""
    if source.origin is None or not isinstance(tap.depth, int):
        return None
    if tap.depth > 0 and not (source.continues or source.origin == (source.name, 0)):
        return None
    return source.origin[0], source.origin[1] + tap.depth
