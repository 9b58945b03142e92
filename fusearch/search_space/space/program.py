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
from fusearch.search_space.design.parts import Fusion, Output, Stream, Tap, Training, Trunk, TrunkFamily
from fusearch.search_space.design.ports import port_name
from fusearch.search_space.encoders import POOL
from fusearch.search_space.entries.encoder import ENCODERS
from fusearch.search_space.entries.operator import Operator
from fusearch.search_space.entries.parameter import Param, Value
from fusearch.search_space.space.choosers import Chooser
from fusearch.search_space.space.join_sources import Argument, JoinSource, able_operators, argument_of, source_of, with_first
from fusearch.search_space.space.space_settings import SpaceSettings
from fusearch.tasks.several import AUXILIARY

__all__ = ["NOT_TAKEN", "Parts", "build", "draw_parts", "take_key"]

#: The answer that leaves a source out of a fusion.
NOT_TAKEN = "-"


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
    return _draw_joins(settings, choose, streams, [source_of(settings, stream) for stream in streams], num_fusions)


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
        for name in settings.slots[modality.name][:count]:
            lender = _draw_lender(settings, choose, modality, name, streams)
            if lender is not None:
                streams.append(replace(lender, name=name, modality=modality.name, tie=lender.name))
            else:
                streams.append(_draw_stream(settings, choose, modality, name))
    return streams


def _draw_lender(settings: SpaceSettings, choose: Chooser, modality: Modality, name: str, streams: list[Stream]) -> Stream | None:
    """Draw the stream whose weights a stream shares, or None. One of the same modality would be that stream a second time."""
    if "ties" not in settings.extras:
        return None
    modalities = {other.name: other for other in settings.modalities}
    lenders = {
        stream.name: stream
        for stream in streams
        if stream.tie is None
        and stream.modality != modality.name
        and (modalities[stream.modality].kind, modalities[stream.modality].shape) == (modality.kind, modality.shape)
    }
    choices = (NOT_TAKEN, *lenders)
    chosen = choose.pick(f"{name}.tie", choices, f"{name}.tie{_context(choices, ())}")
    return lenders.get(chosen)


def _draw_stream(settings: SpaceSettings, choose: Chooser, modality: Modality, name: str) -> Stream:
    chosen = settings.chains[modality.name][choose.pick(f"{name}.encoder", settings.encoders[modality.name])]
    encoder, fixed = ENCODERS[chosen[0]], chosen[1]
    free = {key: param for key, param in encoder.params.items() if key not in fixed and not param.stated}
    pooling = free.pop(POOL, None)
    params = {**fixed, **_draw_params(choose, name, encoder.name, free)}
    if pooling is not None and not encoder.comes_to_one(encoder.num_stages(params), modality.positions, params):
        params |= _draw_params(choose, name, encoder.name, {POOL: pooling})
    return Stream(name, modality.name, encoder.name, params)


def _draw_params(choose: Chooser, owner: str, of: str, params: Mapping[str, Param]) -> dict[str, Value]:
    return {name: choose.pick(f"{owner}.{name}", param.offered, f"{owner}.{of}.{name}") for name, param in params.items()}


def _draw_operator(
    settings: SpaceSettings, choose: Chooser, key: str, fitting: tuple[str, ...], name: str
) -> tuple[Operator, dict[str, Value]]:
    text = choose.pick(f"{key}.operator", fitting, name)
    return settings.joins[text][0], _draw_operator_params(settings, choose, key, text)


def _draw_operator_params(settings: SpaceSettings, choose: Chooser, key: str, text: str) -> dict[str, Value]:
    operator, fixed = settings.joins[text]
    free = {name: param for name, param in operator.params.items() if name not in fixed}
    return {**fixed, **_draw_params(choose, key, operator.name, free)}


def _draw_order(
    settings: SpaceSettings, choose: Chooser, key: str, args: list[Argument], able: tuple[int, ...], num_ordered: int
) -> list[Argument]:
    """Draw the first argument; the others follow in the order in which their sources were made, or in any that matters."""
    context = _context(able, tuple(range(len(args))))
    first, *rest = with_first(args, choose.pick(f"{key}.first", able, f"{key}.first.n{len(args)}{context}"))
    if "argument_order" not in settings.extras:
        return [first, *rest]
    ordered = [first]
    while len(ordered) < num_ordered:
        places = tuple(range(len(rest)))
        ordered.append(rest.pop(choose.pick(f"{key}.then{len(ordered)}", places, f"{key}.then{len(ordered)}.of{len(rest)}")))
    return [*ordered, *rest]


def _draw_vote(settings: SpaceSettings, choose: Chooser, streams: list[Stream]) -> Parts:
    """Join the class scores of all streams: late, or joint-late where a head learns."""
    fitting = tuple(text for text in settings.votes if settings.joins[text][0].takes(len(streams)))
    context = "" if fitting == settings.votes else f".n{len(streams)}"
    operator, params = _draw_operator(settings, choose, "late", fitting, f"late.operator{context}")
    depth = 0 if operator.scores_only else choose.whole("late.trunk", 0, settings.max_trunk)
    family: TrunkFamily = choose.pick("late.family", settings.vector_families) if depth else "fc"
    training: Training = choose.pick("training", settings.trainings, "late.training") if operator.trained else "independent"
    name = f"{settings.prefix}1"
    fusion = Fusion(name, operator.name, tuple(Tap(stream.name, "score") for stream in streams), params, Trunk(family, depth))
    return Parts(tuple(streams), (fusion,), (Output(Tap(name, "L")),), training)


def _draw_joins(settings: SpaceSettings, choose: Chooser, streams: list[Stream], sources: list[JoinSource], num_fusions: int) -> Parts:
    """Draw the fusions one by one; each may take streams and earlier fusions, and the last one takes whatever is left."""
    drafts: list[Fusion] = []
    made: dict[str, JoinSource] = {}
    heads: list[str] = []
    for number in range(1, num_fusions + 1):
        key, name = f"f{number}", f"{settings.prefix}{number}"
        was_open = {source.name for source in sources if source.is_open}
        args = _draw_args(settings, choose, key, sources, num_fusions - number)
        args, able = able_operators(settings, args)
        fitting = tuple(able)
        text = choose.pick(f"{key}.operator", fitting, f"{key}.operator{_context(fitting, settings.features)}")
        operator = settings.joins[text][0]
        params = _draw_operator_params(settings, choose, key, text)
        if not operator.commutes(params):
            args = _draw_order(settings, choose, key, args, able[text], operator.num_ordered(params, len(args)))
        free = operator.commutes(params)
        onward = _draw_onward(settings, choose, key, operator, streams, [arg.origin for arg in args if free or arg is args[0]])
        if onward is not None:
            # Only where the order is free may another one than the first go on.
            args = with_first(args, onward)
        # Which argument's shape is kept where the order is free depends on the shapes, unless the trunk says it.
        kept_origin = args[0].origin if operator.keeps == "first" and not (free and onward is None) else None
        trunk, source = _trunk_of(settings, name, streams, kept_origin, onward is not None)
        kept = [arg.has_grid for arg in (args if free and onward is None else args[:1])]
        source.has_grid = operator.keeps == "first" and all(kept)
        many = tuple(arg.many for arg in args)
        source.many = many if operator.ports else (operator.has_many(params, many),)
        source.args = tuple(arg.tap for arg in args) if operator.ports else ()
        source.operator = operator.name
        drafts.append(Fusion(name, operator.name, tuple(arg.tap for arg in args), params, trunk))
        made[name] = source
        if number < num_fusions and "several_outputs" in settings.extras and choose.pick(f"{key}.output", (False, True)):
            heads.append(name)
            if choose.pick(f"{key}.ends", (False, True)):
                for other in sources:
                    other.is_open = other.name in was_open
                continue  # nothing takes it, so that what it took is still to be joined
        sources.append(source)
    fusions = _finish_trunks(settings, choose, drafts, made, heads)
    outputs = [*(Output(Tap(name, "L")) for name in heads), Output(Tap(fusions[-1].name, "L"))]
    if settings.auxiliary:
        outputs += [
            Output(Tap(stream.name, "score"), AUXILIARY) for stream in streams if choose.pick(f"{stream.name}.auxiliary", (False, True))
        ]
    training = choose.pick("training", settings.trainings_of_features)
    return Parts(tuple(streams), tuple(fusions), tuple(outputs), training)


def _context(choices: tuple[Value, ...], everything: tuple[Value, ...]) -> str:
    """Return what tells choices from all of them in the name of a decision."""
    return "" if choices == everything else f".{zlib.crc32(repr(choices).encode()):08x}"


def _draw_args(settings: SpaceSettings, choose: Chooser, key: str, sources: list[JoinSource], fusions_left: int) -> list[Argument]:
    """Draw the arguments of a fusion: two or more, and so many of those that nothing has taken yet that the rest can still be joined."""
    num_open = sum(source.is_open for source in sources)
    least_open = max(0, num_open - fusions_left * (settings.max_args - 1))
    args: list[Tap] = []
    twice = "source_twice" in settings.extras
    for position, source in enumerate(sources):
        later = sources[position + 1 :]
        open_needed = least_open - _taken_open(sources, args)
        room = settings.max_args - len(args)
        if room == 0 or (not source.is_open and room <= open_needed):
            continue
        # A fusion joins two streams or more: two sources, or an earlier fusion twice.
        to_come = len(later) + (twice and any(other.operator for other in later))
        joined = _num_joined(sources, args)
        must = joined + to_come < 2 - (twice and bool(source.operator) and room > 1 and not joined)
        must = must or joined + to_come + 1 < 2 or (source.is_open and sum(other.is_open for other in later) < open_needed)
        choices: tuple[Value, ...] = source.depths if must else (NOT_TAKEN, *source.depths)
        name = f"{key}.{source.name}.{source.context}"
        tap_key = take_key(key, source.name)
        depth = choose.pick(tap_key, choices, f"{name}.must" if must else name)
        if depth == NOT_TAKEN:
            continue
        args.append(_draw_port(settings, choose, source, Tap(source.name, depth), tap_key, name))
        open_needed = least_open - _taken_open(sources, args)
        if twice and settings.max_args - len(args) > max(0, open_needed):
            place = source.depths.index(depth)
            again_must = _num_joined(sources, args) + to_come < 2
            deeper = source.depths[place:] if again_must else (NOT_TAKEN, *source.depths[place:])
            again = choose.pick(f"{tap_key} again", deeper, f"{name}.again{place}{'.must' if again_must else ''}")
            if again != NOT_TAKEN:
                args.append(_draw_port(settings, choose, source, Tap(source.name, again), f"{tap_key} again", f"{name}.again"))
    taken = {arg.source for arg in args}
    for source in sources:
        source.is_open = source.is_open and source.name not in taken
    by_name = {source.name: source for source in sources}
    return [argument_of(by_name[tap.source], tap, taken) for tap in args]


def _num_joined(sources: list[JoinSource], args: list[Tap]) -> int:
    """Return how many parts are joined so far, an earlier fusion that is taken twice as two."""
    fused = {source.name for source in sources if source.operator}
    return len({arg.source for arg in args}) + (len(args) == 2 and args[0].source == args[1].source and args[0].source in fused)


def _draw_port(settings: SpaceSettings, choose: Chooser, source: JoinSource, tap: Tap, key: str, name: str) -> Tap:
    """Draw which result of an operator with one per argument is read; by default those of the consumer's other arguments, or all."""
    if "ports" not in settings.extras or not source.args or source.continues:
        return tap
    choices = (NOT_TAKEN, *(port_name(source.args, index) for index in range(len(source.args))))
    chosen = choose.pick(f"{key} port", choices, f"{name}.port{_context(choices, ())}")
    return tap if chosen == NOT_TAKEN else replace(tap, port=str(chosen))


def _taken_open(sources: list[JoinSource], args: list[Tap]) -> int:
    taken = {arg.source for arg in args}
    return sum(source.is_open and source.name in taken for source in sources)


def _draw_onward(
    settings: SpaceSettings,
    choose: Chooser,
    key: str,
    operator: Operator,
    streams: list[Stream],
    origins: list[tuple[str, int] | None],
) -> int | None:
    """Draw the argument whose encoder the trunk continues, or None: of those whose shape the operator can keep."""
    if operator.keeps != "first" or "continue" not in settings.trunks:
        return None
    able = tuple(index for index, origin in enumerate(origins) if origin is not None and _goes_on(settings, streams, origin))
    if not able:
        return None
    chosen = choose.pick(f"{key}.continue", (NOT_TAKEN, *able), f"{key}.continue.of{''.join(map(str, able))}")
    return None if chosen == NOT_TAKEN else int(chosen)


def _goes_on(settings: SpaceSettings, streams: list[Stream], origin: tuple[str, int]) -> bool:
    """Whether a stream has stages left that can be applied to the result of a join: its first one may want codes of symbols."""
    read = next(stream.modality for stream in streams if stream.name == origin[0])
    symbolic = any(modality.name == read and modality.layout.channel is None for modality in settings.modalities)
    return _stages_left(streams, origin) > 0 and (origin[1] > 0 or not symbolic)


def _stages_left(streams: list[Stream], origin: tuple[str, int]) -> int:
    stream = next(stream for stream in streams if stream.name == origin[0])
    return ENCODERS[stream.encoder].num_stages(stream.params) - origin[1]


def _trunk_of(
    settings: SpaceSettings, name: str, streams: list[Stream], origin: tuple[str, int] | None, onward: bool
) -> tuple[Trunk, JoinSource]:
    """Return a trunk and what later fusions may take of it. How long a trunk of its own stages is, its consumers will say."""
    if onward and origin is not None:
        left = _stages_left(streams, origin)
        return Trunk("continue", stream=origin[0]), JoinSource(
            name, tuple(range(left + 1)), f"continue{left}", continues=True, origin=origin
        )
    return Trunk(), JoinSource(name, tuple(range(settings.max_trunk + 1)), "trunk", origin=origin)


def _finish_trunks(
    settings: SpaceSettings, choose: Chooser, drafts: list[Fusion], made: Mapping[str, JoinSource], heads: list[str]
) -> list[Fusion]:
    """Give each trunk its length, what its deepest consumer asks for or what is drawn for an output, and its family."""
    fusions = []
    for number, fusion in enumerate(drafts, start=1):
        trunk, key = fusion.trunk, f"f{number}"
        if trunk.stream is None:
            reads = [arg.depth for later in drafts for arg in later.args if arg.source == fusion.name and isinstance(arg.depth, int)]
            depth = max(reads, default=0)
            if fusion is drafts[-1]:
                depth = choose.whole("output.trunk", 0, settings.max_trunk)
            elif fusion.name in heads:
                depth = choose.whole(f"{key}.trunk.from{depth}", depth, settings.max_trunk)
            vector = not all(made[fusion.name].many) and "idle_parts" not in settings.extras  # each result has a trunk
            families = settings.vector_families if vector else settings.families
            name = f"{key}.family{_context(families, settings.families)}"
            trunk = Trunk(choose.pick(f"{key}.family", families, name) if depth else "fc", depth)
        fusions.append(Fusion(fusion.name, fusion.operator, fusion.args, fusion.params, trunk))
    return fusions
