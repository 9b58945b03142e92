"""The program of a search space: it asks for one decision after the other, and whatever the answers are, the result is a valid design.

This is the only description of the space. Random sampling, decoding, mutation, crossover, warm start and Optuna all run it and differ only
in who answers. Every choice depends on the answers before it, but under one name the choices are always the same: what they depend on
stands in the name, as in `f1.mrna.mlp2` for a tap of fusion 1 on a stream whose encoder is an `mlp` of two stages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fusearch.data.modality import Modality
from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.parts import Depth, Fusion, Output, Stream, Tap, Training, Trunk, TrunkFamily
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
    has_grid: bool = False  # with no stage applied, or at any depth for a stream and a trunk that continues one
    continues: bool = False
    origin: tuple[str, int] | None = None  # stream and stage that its state at depth 0 belongs to
    is_open: bool = True  # nothing has taken it yet


def build(settings: SpaceSettings, parts: Parts) -> FusionGraph:
    """Return the design that the parts make."""
    return FusionGraph(settings.modalities, parts.streams, parts.fusions, parts.outputs, parts.training)


def draw_parts(settings: SpaceSettings, choose: Chooser) -> Parts:
    """Run the program once.

    Args:
        settings: What may be used.
        choose: Who decides.
    """
    num_fusions = choose.whole("fusions", 0, settings.max_joined)
    if num_fusions == 0:
        by_name = {modality.name: modality for modality in settings.modalities}
        modality = by_name[choose.pick("modality", tuple(by_name))]
        stream, _ = _draw_stream(settings, choose, modality, settings.slots[modality.name][0])
        return Parts((stream,), (), (Output(Tap(stream.name, "L")),))
    level = "scores" if not settings.features else "features"
    if num_fusions == 1 and settings.features and settings.votes:
        level = choose.pick("level", ("features", "scores"))
    streams, sources = _draw_streams(settings, choose, num_fusions, level)
    if level == "scores":
        return _draw_vote(settings, choose, streams)
    return _draw_joins(settings, choose, streams, sources, num_fusions)


def _draw_streams(settings: SpaceSettings, choose: Chooser, num_fusions: int, level: str) -> tuple[list[Stream], list[_Source]]:
    """Draw how many streams each modality has, two or more in all and no more than the fusions can join, and their encoders."""
    most = settings.max_votes if level == "scores" else 1 + num_fusions * (settings.max_args - 1)
    streams: list[Stream] = []
    sources: list[_Source] = []
    for position, modality in enumerate(settings.modalities):
        later = (len(settings.modalities) - position - 1) * settings.max_streams
        low = max(0, 2 - len(streams) - later)
        high = min(settings.max_streams, most - len(streams))
        context = f".{low}to{high}" if (low, high) != (0, settings.max_streams) else ""
        key = f"{modality.name}.streams"
        count = choose.pick(key, tuple(range(low, high + 1)), f"{key}{context}")
        for name in settings.slots[modality.name][:count]:
            stream, num_stages = _draw_stream(settings, choose, modality, name)
            depths: tuple[Depth, ...] = tuple(range(num_stages + 1))
            if settings.all_stages and num_stages > 0:
                depths = (*depths, "*")
            context = f"{stream.encoder}{num_stages}"
            has_grid = modality.has_grid and stream.encoder != "flatten"
            streams.append(stream)
            sources.append(_Source(name, depths, context, has_grid, origin=(name, 0)))
    return streams, sources


def _draw_stream(settings: SpaceSettings, choose: Chooser, modality: Modality, name: str) -> tuple[Stream, int]:
    encoder = ENCODERS[choose.pick(f"{name}.encoder", settings.encoders[modality.name])]
    params = _draw_params(choose, name, encoder.name, encoder.params)
    return Stream(name, modality.name, encoder.name, params), encoder.num_stages(params)


def _draw_params(choose: Chooser, owner: str, of: str, params: Mapping[str, Param]) -> dict[str, Value]:
    return {
        name: choose.pick(f"{owner}.{name}", param.choices or (param.default,), f"{owner}.{of}.{name}") for name, param in params.items()
    }


def _draw_vote(settings: SpaceSettings, choose: Chooser, streams: list[Stream]) -> Parts:
    """Join the class scores of all streams: late, or joint-late where a head learns."""
    fitting = tuple(name for name in settings.votes if OPERATORS[name].takes(len(streams)))
    context = "" if fitting == settings.votes else f".n{len(streams)}"
    operator = OPERATORS[choose.pick("late.operator", fitting, f"late.operator{context}")]
    params = _draw_params(choose, "late", operator.name, operator.params)
    depth = 0 if operator.scores_only else choose.whole("late.trunk", 0, settings.max_trunk)
    family: TrunkFamily = choose.pick("late.family", settings.families) if depth else "fc"
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
        by_name = {source.name: source for source in sources}
        grids = [_tap_has_grid(by_name[arg.source], arg) for arg in args]
        fitting = settings.admissible(len(args), grid=any(grids))
        context = "" if fitting == settings.features else f".n{len(args)}{'.grid' if any(grids) else ''}"
        operator = OPERATORS[choose.pick(f"{key}.operator", fitting, f"{key}.operator{context}")]
        if not operator.symmetric:
            able = tuple(index for index, grid in enumerate(grids) if grid or not operator.needs_grid)
            context = f".n{len(args)}" if len(able) == len(args) else f".of{''.join(map(str, able))}"
            first = choose.pick(f"{key}.first", able, f"{key}.first{context}")
            args = [args[first], *args[:first], *args[first + 1 :]]
            grids = [grids[first], *grids[:first], *grids[first + 1 :]]
        params = _draw_params(choose, key, operator.name, operator.params)
        onward = _draw_onward(settings, choose, key, operator, streams, [_origin(by_name[arg.source], arg) for arg in args])
        if onward is not None:
            # Only a symmetric operator may go on with an argument that is not its first; the order is then free.
            args = [args[onward], *args[:onward], *args[onward + 1 :]]
            grids = [grids[onward], *grids[:onward], *grids[onward + 1 :]]
        trunk, source = _trunk_of(settings, name, streams, _origin(by_name[args[0].source], args[0]), operator, onward is not None)
        kept = grids if operator.symmetric and onward is None else grids[:1]
        source.has_grid = operator.keeps == "first" and all(kept)
        drafts.append(Fusion(name, operator.name, tuple(args), params, trunk))
        sources.append(source)
    fusions = _finish_trunks(settings, choose, drafts)
    outputs = [Output(Tap(fusions[-1].name, "L"))]
    if settings.auxiliary:
        outputs += [
            Output(Tap(stream.name, "score"), AUXILIARY) for stream in streams if choose.pick(f"{stream.name}.auxiliary", (False, True))
        ]
    training = choose.pick("training", settings.trainings_of_features)
    return Parts(tuple(streams), tuple(fusions), tuple(outputs), training)


def _draw_args(settings: SpaceSettings, choose: Chooser, key: str, sources: list[_Source], fusions_left: int) -> list[Tap]:
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
    return args


def _taken_open(sources: list[_Source], args: list[Tap]) -> int:
    taken = {arg.source for arg in args}
    return sum(source.is_open and source.name in taken for source in sources)


def _tap_has_grid(source: _Source, tap: Tap) -> bool:
    return source.has_grid and (tap.depth == 0 or source.continues or source.origin == (source.name, 0)) and tap.depth != "*"


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


def _finish_trunks(settings: SpaceSettings, choose: Chooser, drafts: list[Fusion]) -> list[Fusion]:
    """Give each trunk its length, what its deepest consumer asks for or what is drawn for the output, and its family."""
    fusions = []
    for number, fusion in enumerate(drafts, start=1):
        trunk = fusion.trunk
        if trunk.stream is None:
            reads = [arg.depth for later in drafts for arg in later.args if arg.source == fusion.name and isinstance(arg.depth, int)]
            depth = choose.whole("output.trunk", 0, settings.max_trunk) if fusion is drafts[-1] else max(reads)
            trunk = Trunk(choose.pick(f"f{number}.family", settings.families) if depth else "fc", depth)
        fusions.append(Fusion(fusion.name, fusion.operator, fusion.args, fusion.params, trunk))
    return fusions
