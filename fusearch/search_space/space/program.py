"""The program of a search space: it asks for one decision after the other, and whatever the answers are, the result is a valid design.

This is the only description of the space. Random sampling, decoding, mutation, crossover, warm start and Optuna all run it and differ only
in who answers. Every choice depends on the answers before it, but under one name the choices are always the same: what they depend on
stands in the name, as in `f1.mrna.mlp2` for a tap of fusion 1 on a stream whose encoder is an `mlp` of two stages.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fusearch.data.modality import Modality
from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.parts import Depth, Fusion, Output, Stream, Tap, Training, Trunk, TrunkFamily
from fusearch.search_space.design.ports import default_ports
from fusearch.search_space.encoders import FLATTEN, POOL
from fusearch.search_space.entries.encoder import ENCODERS
from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param, Value
from fusearch.search_space.space.choosers import Chooser
from fusearch.search_space.space.space_settings import SpaceSettings

__all__ = ["AUXILIARY", "NOT_TAKEN", "Parts", "build", "draw_parts", "take_key"]

#: The answer that leaves a source out of a fusion.
NOT_TAKEN = "-"

#: Task of an auxiliary head.
AUXILIARY = "aux"


def take_key(fusion: str, source: str) -> str:
    """Return the key of the decision whether a fusion takes a source; the space keeps it apart from every other key."""
    return f"{fusion} {source}"


@dataclass
class Parts:
    """The parts of a design, before they are checked and completed."""

    streams: tuple[Stream, ...]
    fusions: tuple[Fusion, ...] = ()
    outputs: tuple[Output, ...] = ()
    training: Training = "joint"


@dataclass
class _Source:
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
class _Arg:
    """What a fusion takes, and what is known of it."""

    tap: Tap
    many: bool
    has_grid: bool
    origin: tuple[str, int] | None  # stream and stage that its state belongs to, where a trunk could go on with that stream
    operator: str  # that gave it and would be joined with this one, where no stage is between them


def build(settings: SpaceSettings, parts: Parts) -> FusionGraph:
    """Return the design that the parts make."""
    return FusionGraph(settings.modalities, parts.streams, parts.fusions, parts.outputs, parts.training)


def draw_parts(settings: SpaceSettings, choose: Chooser) -> Parts:
    """Run the program once.

    Args:
        settings: What may be used.
        choose: Who decides.
    """
    modalities = _draw_modalities(settings, choose)
    streams = _draw_streams(settings, choose, modalities)
    if len(streams) == 1:
        return Parts(tuple(streams), (), (Output(Tap(streams[0].name, "L")),))
    able = settings.levels(len(streams))
    least = 1 if "scores" in able else settings.least_fusions(len(streams))
    most = settings.max_joined if "features" in able else 1
    num_fusions = choose.whole(f"fusions.{least}to{most}", least, most)
    joined = num_fusions >= settings.least_fusions(len(streams))
    level = "features" if num_fusions > 1 or "scores" not in able else "scores"
    if num_fusions == 1 and joined and len(able) == 2:
        level = choose.pick("level", ("features", "scores"))
    if level == "scores":
        return _draw_vote(settings, choose, streams)
    return _draw_joins(settings, choose, streams, [_source_of(settings, stream) for stream in streams], num_fusions)


def _draw_modalities(settings: SpaceSettings, choose: Chooser) -> list[Modality]:
    """Draw how many modalities a design has, all of them half of the time, and which."""
    number, most = len(settings.modalities), settings.counted_modalities
    count = number
    if settings.max_joinable < number or not choose.pick(
        "modalities.all", (True, False) if most else (True,), weights=settings.all_or_some
    ):
        count = choose.whole(f"modalities.1to{most}", 1, most)
    chosen: list[Modality] = []
    for position, modality in enumerate(settings.modalities):
        wanted, later = count - len(chosen), number - position
        if wanted == later or (wanted > 0 and _is_drawn(choose, modality, wanted, later)):
            chosen.append(modality)
    return chosen


def _is_drawn(choose: Chooser, modality: Modality, wanted: int, later: int) -> bool:
    """Draw a modality so that all sets of that size are equally likely."""
    key = f"{modality.name}.used"
    return bool(choose.pick(key, (True, False), f"{key}.{wanted}of{later}", weights=(wanted, later - wanted)))


def _draw_streams(settings: SpaceSettings, choose: Chooser, modalities: list[Modality]) -> list[Stream]:
    """Draw how many streams each modality has, no more in all than the fusions can join, and their encoders."""
    streams: list[Stream] = []
    for position, modality in enumerate(modalities):
        later = len(modalities) - position - 1
        high = min(settings.max_streams, settings.max_joinable - len(streams) - later)
        key = f"{modality.name}.streams"
        count = choose.pick(key, tuple(range(1, high + 1)), f"{key}.1to{high}")
        streams += [_draw_stream(settings, choose, modality, name) for name in settings.slots[modality.name][:count]]
    return streams


def _source_of(settings: SpaceSettings, stream: Stream) -> _Source:
    encoder = ENCODERS[stream.encoder]
    num_stages = encoder.num_stages(stream.params)
    modality = next(modality for modality in settings.modalities if modality.name == stream.modality)
    many = tuple(
        encoder.has_many(depth, positions=bool(modality.layout.positions)) and not encoder.comes_to_one(depth, modality.positions)
        for depth in range(num_stages + 1)
    )
    depths: tuple[Depth, ...] = tuple(range(num_stages + 1))
    pooled = encoder.has_many(num_stages, positions=bool(modality.layout.positions))
    if pooled:
        depths = (*depths, "L")
    if settings.all_stages and num_stages > 0:
        depths = (*depths, "*")
    context = f"{stream.encoder}{num_stages}{'L' if pooled else ''}"
    has_grid = modality.has_grid and encoder.name != FLATTEN.name
    return _Source(stream.name, depths, context, many, has_grid=has_grid, origin=(stream.name, 0))


def _draw_stream(settings: SpaceSettings, choose: Chooser, modality: Modality, name: str) -> Stream:
    chosen = settings.chains[modality.name][choose.pick(f"{name}.encoder", settings.encoders[modality.name])]
    encoder, fixed = ENCODERS[chosen[0]], chosen[1]
    free = {key: param for key, param in encoder.params.items() if key not in fixed}
    pooling = free.pop(POOL, None)
    params = {**fixed, **_draw_params(choose, name, encoder.name, free)}
    if pooling is not None and not encoder.comes_to_one(encoder.num_stages(params), modality.positions):
        params |= _draw_params(choose, name, encoder.name, {POOL: pooling})
    return Stream(name, modality.name, encoder.name, params)


def _draw_params(choose: Chooser, owner: str, of: str, params: Mapping[str, Param]) -> dict[str, Value]:
    return {
        name: choose.pick(f"{owner}.{name}", param.choices or (param.default,), f"{owner}.{of}.{name}") for name, param in params.items()
    }


def _draw_vote(settings: SpaceSettings, choose: Chooser, streams: list[Stream]) -> Parts:
    """Join the class scores of all streams: late, or joint-late where the operator learns."""
    fitting = tuple(name for name in settings.votes if OPERATORS[name].takes(len(streams)))
    context = "" if fitting == settings.votes else f".n{len(streams)}"
    operator = OPERATORS[choose.pick("late.operator", fitting, f"late.operator{context}")]
    params = _draw_params(choose, "late", operator.name, operator.params)
    depth = 0 if operator.scores_only else choose.whole("late.trunk", 0, settings.max_trunk)
    family: TrunkFamily = choose.pick("late.family", settings.vector_families) if depth else "fc"
    training: Training = choose.pick("training", settings.trainings, "late.training") if operator.trained else "independent"
    name = f"{settings.prefix}1"
    fusion = Fusion(name, operator.name, tuple(Tap(stream.name, "score") for stream in streams), params, Trunk(family, depth))
    return Parts(tuple(streams), (fusion,), (Output(Tap(name, "L")),), training)


def _draw_joins(settings: SpaceSettings, choose: Chooser, streams: list[Stream], sources: list[_Source], num_fusions: int) -> Parts:
    """Draw the fusions one by one; each may take streams and earlier fusions, and the last one takes whatever is left."""
    drafts: list[Fusion] = []
    for number in range(1, num_fusions + 1):
        key, name = f"f{number}", f"{settings.prefix}{number}"
        args = _draw_args(settings, choose, key, sources, num_fusions - number)
        args, able = _able(settings, args)
        fitting = tuple(able)
        operator = OPERATORS[choose.pick(f"{key}.operator", fitting, f"{key}.operator{_context(fitting, settings.features)}")]
        if not operator.symmetric:
            every = tuple(range(len(args)))
            context = _context(able[operator.name], every)
            args = _with_first(args, choose.pick(f"{key}.first", able[operator.name], f"{key}.first.n{len(args)}{context}"))
        params = _draw_params(choose, key, operator.name, operator.params)
        onward = _draw_onward(settings, choose, key, operator, streams, [arg.origin for arg in args])
        if onward is not None:
            # Only a symmetric operator may go on with an argument that is not its first; the order is then free.
            args = _with_first(args, onward)
        trunk, source = _trunk_of(settings, name, streams, args[0].origin, operator, onward is not None)
        kept = [arg.has_grid for arg in (args if operator.symmetric and onward is None else args[:1])]
        source.has_grid = operator.keeps == "first" and all(kept)
        many = tuple(arg.many for arg in args)
        source.many = many if operator.ports else (operator.has_many(params, many),)
        source.args = tuple(arg.tap for arg in args) if operator.ports else ()
        source.operator = operator.name
        drafts.append(Fusion(name, operator.name, tuple(arg.tap for arg in args), params, trunk))
        sources.append(source)
    fusions = _finish_trunks(settings, choose, drafts, {source.name: source for source in sources})
    outputs = [Output(Tap(fusions[-1].name, "L"))]
    if settings.auxiliary:
        outputs += [
            Output(Tap(stream.name, "score"), AUXILIARY) for stream in streams if choose.pick(f"{stream.name}.auxiliary", (False, True))
        ]
    training = choose.pick("training", settings.trainings_of_features)
    return Parts(tuple(streams), tuple(fusions), tuple(outputs), training)


def _able(settings: SpaceSettings, args: list[_Arg]) -> tuple[list[_Arg], dict[str, tuple[int, ...]]]:
    """Return the arguments and, by the operators that can join them, which of them may come first.

    Where every operator would only go on with the join that an argument comes from, a stage is put between. In a space of nothing else an
    operator is offered all the same.
    """
    operators = [OPERATORS[name] for name in settings.features if OPERATORS[name].takes(len(args))]
    while True:
        able = {operator.name: first for operator in operators if (first := _able_first(operator, args))}
        joined = next((place for place, arg in enumerate(args) if arg.operator), None)
        if able or joined is None or not settings.max_trunk:
            break
        deeper = replace(args[joined], tap=replace(args[joined].tap, depth=1), has_grid=False, origin=None, operator="")
        args = [*args[:joined], deeper, *args[joined + 1 :]]
    for operator in [] if able else operators:
        places = range(1 if operator.symmetric else len(args))
        able[operator.name] = tuple(place for place in places if not operator.needs_grid or args[place].has_grid)
    return args, {name: first for name, first in able.items() if first}


def _able_first(operator: Operator, args: list[_Arg]) -> tuple[int, ...]:
    """Return the arguments that may come first, so that every part of the operator can be trained and none is another one's in disguise.

    Of a symmetric operator the order means nothing, so that it is the first one, or none.
    """
    places = range(1 if operator.symmetric else len(args))
    return tuple(place for place in places if _is_able(operator, _with_first(args, place)))


def _is_able(operator: Operator, args: list[_Arg]) -> bool:
    has_grid = any(arg.has_grid for arg in args) if operator.symmetric else args[0].has_grid
    return (
        (has_grid or not operator.needs_grid)
        and operator.works(tuple(arg.many for arg in args))
        and not any(arg.operator in operator.absorbs for arg in args[operator.absorbs_from :])
    )


def _with_first(args: list[_Arg], first: int) -> list[_Arg]:
    return [args[first], *args[:first], *args[first + 1 :]]


def _context(choices: tuple[Value, ...], everything: tuple[Value, ...]) -> str:
    """Return what tells choices from all of them in the name of a decision."""
    return "" if choices == everything else f".{zlib.crc32(repr(choices).encode()):08x}"


def _draw_args(settings: SpaceSettings, choose: Chooser, key: str, sources: list[_Source], fusions_left: int) -> list[_Arg]:
    """Draw the arguments of a fusion: two or more, and so many of those that nothing has taken yet that the rest can still be joined."""
    num_open = sum(source.is_open for source in sources)
    least_open = max(0, num_open - fusions_left * (settings.max_args - 1))
    args: list[Tap] = []
    for position, source in enumerate(sources):
        later = sources[position + 1 :]
        open_needed = least_open - _taken_open(sources, args)
        room = settings.max_args - len(args)
        if room == 0 or (not source.is_open and room <= open_needed):
            continue
        must = len(args) + len(later) < 2 or (source.is_open and sum(other.is_open for other in later) < open_needed)
        choices: tuple[Value, ...] = source.depths if must else (NOT_TAKEN, *source.depths)
        name = f"{key}.{source.name}.{source.context}"
        depth = choose.pick(take_key(key, source.name), choices, f"{name}.must" if must else name)
        if depth != NOT_TAKEN:
            args.append(Tap(source.name, depth))
    taken = {arg.source for arg in args}
    for source in sources:
        source.is_open = source.is_open and source.name not in taken
    by_name = {source.name: source for source in sources}
    return [_arg(by_name[tap.source], tap, taken) for tap in args]


def _arg(source: _Source, tap: Tap, taken: set[str]) -> _Arg:
    if source.args:
        # Of an operator with ports a fusion reads those of its own other arguments, else all of them.
        read = default_ports(source.args, [other for other in taken if other != source.name])
        many = any(source.many[port] for port in read)
    elif source.operator:
        many = source.many[0]
    else:
        many = isinstance(tap.depth, int) and source.many[tap.depth]
    operator = source.operator if tap.depth == 0 and not source.continues else ""
    return _Arg(tap, many, _tap_has_grid(source, tap), _origin(source, tap), operator)


def _taken_open(sources: list[_Source], args: list[Tap]) -> int:
    taken = {arg.source for arg in args}
    return sum(source.is_open and source.name in taken for source in sources)


def _tap_has_grid(source: _Source, tap: Tap) -> bool:
    return source.has_grid and (tap.depth == 0 or source.continues or source.origin == (source.name, 0)) and isinstance(tap.depth, int)


def _origin(source: _Source, tap: Tap) -> tuple[str, int] | None:
    """Return the stream and stage that a tap's state belongs to, where a trunk could go on with that stream."""
    if source.origin is None or not isinstance(tap.depth, int):
        return None
    if tap.depth > 0 and not (source.continues or source.origin == (source.name, 0)):
        return None
    return source.origin[0], source.origin[1] + tap.depth


def _draw_onward(
    settings: SpaceSettings,
    choose: Chooser,
    key: str,
    operator: Operator,
    streams: list[Stream],
    origins: list[tuple[str, int] | None],
) -> int | None:
    """Draw the argument whose encoder the trunk continues, or None: the first one, or any of a symmetric operator."""
    if operator.keeps != "first" or "continue" not in settings.trunks:
        return None
    able = tuple(
        index
        for index, origin in enumerate(origins if operator.symmetric else origins[:1])
        if origin is not None and _stages_left(streams, origin) > 0
    )
    if not able:
        return None
    chosen = choose.pick(f"{key}.continue", (NOT_TAKEN, *able), f"{key}.continue.of{''.join(map(str, able))}")
    return None if chosen == NOT_TAKEN else int(chosen)


def _stages_left(streams: list[Stream], origin: tuple[str, int]) -> int:
    stream = next(stream for stream in streams if stream.name == origin[0])
    return ENCODERS[stream.encoder].num_stages(stream.params) - origin[1]


def _trunk_of(
    settings: SpaceSettings, name: str, streams: list[Stream], origin: tuple[str, int] | None, operator: Operator, onward: bool
) -> tuple[Trunk, _Source]:
    """Return a trunk and what later fusions may take of it. How long a trunk of its own stages is, its consumers will say."""
    if onward and origin is not None:
        left = _stages_left(streams, origin)
        return Trunk("continue", stream=origin[0]), _Source(name, tuple(range(left + 1)), f"continue{left}", continues=True, origin=origin)
    # Which argument's shape a symmetric operator keeps depends on the shapes, unless the trunk says it.
    kept = origin if operator.keeps == "first" and not operator.symmetric else None
    return Trunk(), _Source(name, tuple(range(settings.max_trunk + 1)), "trunk", origin=kept)


def _finish_trunks(settings: SpaceSettings, choose: Chooser, drafts: list[Fusion], sources: Mapping[str, _Source]) -> list[Fusion]:
    """Give each trunk its length, what its deepest consumer asks for or what is drawn for the output, and its family."""
    fusions = []
    for number, fusion in enumerate(drafts, start=1):
        trunk = fusion.trunk
        if trunk.stream is None:
            reads = [arg.depth for later in drafts for arg in later.args if arg.source == fusion.name and isinstance(arg.depth, int)]
            depth = choose.whole("output.trunk", 0, settings.max_trunk) if fusion is drafts[-1] else max(reads)
            families = settings.families if all(sources[fusion.name].many) else settings.vector_families  # each result has a trunk
            key = f"f{number}.family"
            trunk = Trunk(choose.pick(key, families, key + _context(families, settings.families)) if depth else "fc", depth)
        fusions.append(Fusion(fusion.name, fusion.operator, fusion.args, fusion.params, trunk))
    return fusions
