"""The program of a space that a pattern restricts: it asks for whatever the pattern leaves open, and nothing else.

The pattern gives the fusions, who takes what, and the depths that it states; asked are what `?` sources stand for (one choice among all
ways that obey the rules), the modality and encoder of each stream, the letters, operators of a class, parameters, trunks and training.
Every name of a decision ends with a code of its choices, so that under one name they are always the same (decision 0095).
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from fusearch.errors import SpaceError, suggestion
from fusearch.search_space.design.parts import Depth, Fusion, Output, Stream, Tap, Training, Trunk
from fusearch.search_space.design.pattern import FusionPattern
from fusearch.search_space.design.pattern_parts import UNKNOWN, PatternFusion, PatternStream, PatternTap, Unknown
from fusearch.search_space.entries.encoder import ENCODERS
from fusearch.search_space.entries.operator import OPERATORS
from fusearch.search_space.entries.parameter import Params, Value, combinations
from fusearch.search_space.space.choosers import Chooser
from fusearch.search_space.space.join_sources import JoinSource, joins_anew, source_of
from fusearch.search_space.space.pattern_sources import resolutions
from fusearch.search_space.space.program import Parts, draw_parts
from fusearch.search_space.space.space_settings import SpaceSettings

T = TypeVar("T", bound=Value)

__all__ = ["check_pattern", "draw_design", "draw_pattern", "encoders_offered", "least_stages"]


def draw_design(settings: SpaceSettings, choose: Chooser) -> Parts:
    """Run the program of a space once: that of its pattern where it has one, else that of the whole language.

    Args:
        settings: What may be used.
        choose: Who decides.
    """
    return draw_parts(settings, choose) if settings.pattern is None else draw_pattern(settings, choose)


def draw_pattern(settings: SpaceSettings, choose: Chooser) -> Parts:
    """Run the program once.

    Args:
        settings: What may be used, with a pattern.
        choose: Who decides.
    """
    ways = resolutions(settings)
    pattern = ways[_pick(choose, "sources", tuple(ways))]
    streams = _draw_streams(settings, choose, pattern)
    stages = {name: ENCODERS[stream.encoder].num_stages(stream.params) for name, stream in streams.items()}
    sources = {name: source_of(settings, stream) for name, stream in streams.items()}
    letters = _draw_letters(settings, choose, pattern, stages)

    def tap(wanted: PatternTap, key: str) -> Tap:
        depth: Depth
        most = stages.get(wanted.source, settings.max_trunk) - (onward.get(key, 0))
        if wanted.depth == UNKNOWN:
            depth = _pick(choose, key, tuple(range(min(_least_depth(pattern, wanted.source), most), most + 1)))
        elif isinstance(wanted.depth, int) or wanted.depth in ("L", "score", "*"):
            depth = wanted.depth  # type: ignore[assignment]  # a pattern's depth without letters is a design's
        else:
            letter, plus = _letter(wanted.depth)
            depth = letters[letter] + plus
        if key in may_pool and wanted.depth != "L" and depth == most > 0 and "L" in sources[wanted.source].depths:
            depth = _pick(choose, f"{key} pooled", ("L", depth))
        source = streams[wanted.source].name if wanted.source in streams else wanted.source
        port = streams[wanted.port].name if wanted.port in streams else wanted.port
        return Tap(source, depth, port)

    # What goes on with a stream needs as many stages of it as are read behind the join, and offers those that are left.
    onward = {f"{fusion.name}.0.depth": _least_behind(pattern, fusion.name) for fusion in pattern.fusions if _goes_on(fusion)}
    # An attention wants the tokens: it has nothing to choose from in one vector.
    may_pool = {f"{fusion.name}.{at}.depth" for fusion in pattern.fusions for at in _poolable(settings, fusion, streams)} - {*onward}
    taps: dict[str, list[Tap]] = {}
    for fusion in pattern.fusions:
        taps[fusion.name] = args = [tap(arg, f"{fusion.name}.{at}.depth") for at, arg in enumerate(fusion.args)]
        if _goes_on(fusion):
            first = args[0].depth
            stages[fusion.name] = stages[fusion.args[0].source] - (first if isinstance(first, int) else stages[fusion.args[0].source])
    outputs = tuple(Output(tap(output.source, f"output.{at}.depth"), output.task) for at, output in enumerate(pattern.outputs))
    read = [arg for args in taps.values() for arg in args]
    ends = {output.source.source for output in outputs}
    fusions: list[Fusion] = []
    many_of: dict[str, bool] = {}
    for fusion in pattern.fusions:
        reads = zip(taps[fusion.name], fusion.args, strict=True)
        many = tuple(many_of.get(arg.source, False) or _has_many(sources.get(wanted.source), arg) for arg, wanted in reads)
        operator, params = _draw_operator(
            settings, choose, fusion, streams, taps[fusion.name], many, {made.name: made.operator for made in fusions}
        )
        many_of[fusion.name] = OPERATORS[operator].has_many(params, many)
        deepest = max((arg.depth for arg in read if arg.source == fusion.name and isinstance(arg.depth, int)), default=0)
        if _goes_on(fusion):
            trunk = Trunk("continue", stream=taps[fusion.name][0].source)
        else:
            trunk = _draw_trunk(settings, choose, fusion, deepest, is_output=fusion.name in ends)
        fusions.append(Fusion(fusion.name, operator, tuple(taps[fusion.name]), params, trunk))
    return Parts(tuple(streams.values()), tuple(fusions), outputs, _draw_training(settings, choose, pattern, fusions))


def check_pattern(settings: SpaceSettings) -> None:
    """Check that the space can make a design of its pattern.

    Raises:
        FormulaError: The pattern cannot be read.
        SpaceError: It asks for what the space does not offer.
    """
    pattern = FusionPattern.parse(str(settings.pattern))
    names = [modality.name for modality in settings.modalities]
    for stream in pattern.streams:
        if not stream.is_free and stream.name not in names:
            raise SpaceError(f"pattern: stream {stream.name!r} is no modality: {suggestion(stream.name, names)}; x1, x2, ... stand for any")
        if stream.modality is not None and stream.modality not in names:
            raise SpaceError(f"pattern: stream {stream.name!r} has modality {stream.modality!r}: {suggestion(stream.modality, names)}")
        if stream.encoder is not None:
            ENCODERS[stream.encoder]  # an unknown name is refused with the nearest one
    for fusion in pattern.fusions:
        _check_onward(pattern, fusion)
        _operators(settings, fusion, all_scores=all(arg.depth == "score" for arg in fusion.args))
    if any(output.source.source == UNKNOWN for output in pattern.outputs):
        raise SpaceError("pattern: '?' as an output, expected a fusion or a stream")
    room = len(names) * settings.max_streams
    if len(pattern.streams) > room:
        raise SpaceError(f"pattern: {len(pattern.streams)} streams, this space offers {room} (max_streams is {settings.max_streams})")
    for way in resolutions(settings).values():
        for stream in way.streams:
            _modalities(settings, way, stream, {})


def _draw_streams(settings: SpaceSettings, choose: Chooser, pattern: FusionPattern) -> dict[str, Stream]:
    """Draw the modality of each stream, then its encoder: name in the pattern -> stream, called like its modality."""
    taken: dict[str, str] = {}
    streams: dict[str, Stream] = {}
    for wanted in sorted(pattern.streams, key=lambda stream: (stream.tie is not None, stream.modality is None, stream.is_free)):
        modality = _pick(choose, f"{wanted.name}.modality", _modalities(settings, pattern, wanted, taken))
        name = settings.slots[modality][sum(other == modality for other in taken.values())]
        taken[wanted.name] = modality
        if wanted.tie is not None:
            streams[wanted.name] = replace(streams[wanted.tie], name=name, modality=modality, tie=streams[wanted.tie].name)
            continue
        offered = encoders_offered(settings, wanted, modality, least_stages(pattern, wanted.name))
        encoder = _pick(choose, f"{wanted.name}.encoder", tuple(dict.fromkeys(encoder for encoder, _ in offered)))
        left = [params for other, params in offered if other == encoder]
        for param in left[0]:
            value = _pick(choose, f"{wanted.name}.{param}", tuple(dict.fromkeys(params[param] for params in left)))
            left = [params for params in left if params[param] == value]
        streams[wanted.name] = Stream(name, modality, encoder, left[0])
    return streams


def _modalities(settings: SpaceSettings, pattern: FusionPattern, stream: PatternStream, taken: dict[str, str]) -> tuple[str, ...]:
    """Return the modalities that a stream may have, so that every later one still finds a place.

    Raises:
        SpaceError: There is none.
    """
    given = stream.modality if stream.modality is not None else None if stream.is_free else stream.name
    names = [given] if given is not None else [modality.name for modality in settings.modalities]
    free = [name for name in names if sum(other == name for other in taken.values()) < settings.max_streams]
    least = least_stages(pattern, stream.name)
    fitting = tuple(name for name in free if encoders_offered(settings, stream, name, least))
    borrowers = [other for other in pattern.streams if other.tie == stream.name]
    for other in borrowers:
        lent = [other.modality] if other.modality is not None else [modality.name for modality in settings.modalities]
        fitting = tuple(name for name in fitting if any(_alike(settings, name, each) for each in lent))
    if stream.tie in taken:
        fitting = tuple(name for name in fitting if _alike(settings, taken[str(stream.tie)], name))
    if not fitting and (borrowers or stream.tie is not None):
        raise SpaceError(f"pattern: {stream.tie or stream.name} lends its weights: expected another modality of the same kind and shape")
    if not fitting:
        raise SpaceError(f"pattern: {stream.name} is taken after {least} stages, no encoder of {', '.join(names)} has as many")
    return fitting


def _alike(settings: SpaceSettings, one: str, other: str) -> bool:
    """Whether two modalities, not the same, can share weights."""
    by_name = {modality.name: modality for modality in settings.modalities}
    return one != other and (by_name[one].kind, by_name[one].shape) == (by_name[other].kind, by_name[other].shape)


def _goes_on(fusion: PatternFusion) -> bool:
    return fusion.trunk is not None and fusion.trunk.stream is not None


def _least_behind(pattern: FusionPattern, fusion: str) -> int:
    """Return how many stages are read behind a join."""
    return max(
        (arg.depth for other in pattern.fusions for arg in other.args if arg.source == fusion and isinstance(arg.depth, int)), default=0
    )


def _check_onward(pattern: FusionPattern, fusion: PatternFusion) -> None:
    """Check that a trunk that goes on with a stream has it as its first argument, at a depth that can be drawn.

    Raises:
        SpaceError: It has not.
    """
    if not _goes_on(fusion) or fusion.trunk is None:
        return
    stream, first = fusion.trunk.stream, fusion.args[0]
    if first.source != stream or not (isinstance(first.depth, int) or first.depth == UNKNOWN):
        raise SpaceError(f"pattern: {fusion.name} continues {stream!r}: expected {stream}^?, or a number, as its first argument")
    for other in pattern.fusions:
        if any(arg.source == fusion.name and not (isinstance(arg.depth, int) or arg.depth in (UNKNOWN, "L")) for arg in other.args):
            raise SpaceError(
                f"pattern: {other.name} takes {fusion.name}, which continues {stream!r}, at a letter: expected a number, L or ?"
            )


def least_stages(pattern: FusionPattern, stream: str) -> int:
    """Return how many stages a stream needs at least."""
    family = {other.name for other in pattern.streams if other.name == stream or (other.tie is not None and other.tie == stream)}
    taps = [arg for fusion in pattern.fusions for arg in fusion.args] + [output.source for output in pattern.outputs]
    depths: list[Unknown] = [tap.depth for tap in taps if tap.source in family]
    onward = [fusion for fusion in pattern.fusions if fusion.trunk is not None and fusion.trunk.stream in family]
    depths += [_least_behind(pattern, fusion.name) + (depth if isinstance(depth := fusion.args[0].depth, int) else 0) for fusion in onward]
    whole = [depth for depth in depths if isinstance(depth, int)]
    return max([0, *whole, *(2 for depth in depths if depth == "*"), *(_letter(depth)[1] for depth in depths if _is_letter(depth))])


def encoders_offered(settings: SpaceSettings, stream: PatternStream, modality: str, least: int) -> list[tuple[str, Params]]:
    """Return encoders with parameters that have enough stages; where the choices are too short, the shortest legal one."""
    kind = next(each.kind for each in settings.modalities if each.name == modality)
    chains = settings.chains[modality].values() if stream.encoder is None else ((stream.encoder, {}),)
    found = []
    for encoder, fixed in ((ENCODERS[name], fixed) for name, fixed in chains):
        if not encoder.reads(kind):
            continue
        offered = list(combinations(encoder.params, {**fixed, **stream.params}))
        enough = [params for params in offered if encoder.num_stages(params) >= least]
        if not enough and offered:
            enough = _stretched(encoder.name, offered[0], stream, least)
        found += [(encoder.name, Params(params)) for params in enough]
    return found


def _stretched(encoder: str, params: dict[str, Value], stream: PatternStream, least: int) -> list[dict[str, Value]]:
    """Return the parameters with one of them raised just so far that there are enough stages."""
    entry = ENCODERS[encoder]
    for name, param in entry.params.items():
        if name in stream.params or not isinstance(param.default, int) or isinstance(param.default, bool) or param.maximum is None:
            continue
        for value in range(param.default, int(param.maximum) + 1):
            if entry.num_stages({**params, name: value}) >= least:
                return [{**params, name: value}]
    return []


def _has_many(source: JoinSource | None, tap: Tap) -> bool:
    return source is not None and isinstance(tap.depth, int) and source.many[tap.depth]


def _poolable(settings: SpaceSettings, fusion: PatternFusion, streams: Collection[str]) -> list[int]:
    """Return the arguments of a fusion that may be pooled vectors: those of streams, or none where nothing but attention can stand."""
    offered, *_ = _operators(settings, fusion, all_scores=all(arg.depth == "score" for arg in fusion.args))
    able = any(OPERATORS[name].attention is None for name in offered)
    return [at for at, arg in enumerate(fusion.args) if able and arg.source in streams]


def _draw_letters(settings: SpaceSettings, choose: Chooser, pattern: FusionPattern, stages: dict[str, int]) -> dict[str, int]:
    """Draw each letter, as deep as every source that it is a depth of can go."""
    least: dict[str, int] = {}
    most: dict[str, int] = {}
    for fusion in pattern.fusions:
        for arg in fusion.args:
            if _is_letter(arg.depth):
                letter, plus = _letter(arg.depth)
                most[letter] = min(most.get(letter, 100), stages.get(arg.source, max(settings.max_trunk, plus)) - plus)
                least[letter] = max(least.get(letter, 0), _least_depth(pattern, arg.source) - plus)
    drawn = {letter: tuple(range(min(least[letter], high), high + 1)) for letter, high in sorted(most.items())}
    return {letter: int(_pick(choose, f"depth.{letter}", depths)) for letter, depths in drawn.items()}


def _least_depth(pattern: FusionPattern, source: str) -> int:
    """Return the least depth that is drawn: raw values would be those of no encoder, and no weights are shared for them."""
    stated = {stream.name for stream in pattern.streams if stream.encoder is not None or stream.tie is not None}
    return int(source in stated or any(stream.tie == source for stream in pattern.streams))


def _is_letter(depth: Unknown) -> bool:
    return isinstance(depth, str) and depth not in (UNKNOWN, "L", "score", "*")


def _letter(depth: Unknown) -> tuple[str, int]:
    letter, _, plus = str(depth).partition("+")
    return letter, int(plus or 0)


def _operators(settings: SpaceSettings, fusion: PatternFusion, *, all_scores: bool) -> list[tuple[str, ...]]:
    """Return the operators of the space that may stand there, and then all that may.

    Raises:
        SpaceError: None joins that many arguments.
    """
    of_space = tuple(dict.fromkeys(operator.name for operator, _ in settings.joins.values()))
    ways = [
        tuple(
            name
            for name in offered
            if fusion.allows(name)
            and OPERATORS[name].takes(len(fusion.args))
            and (all_scores or not OPERATORS[name].scores_only)
            and all(param in OPERATORS[name].params for param in fusion.params)
            and (OPERATORS[name].keeps == "first" or not _goes_on(fusion))
        )
        for offered in (of_space, tuple(OPERATORS))
    ]
    if not any(ways):
        stated = f" with {', '.join(fusion.params)}" if fusion.params else ""
        raise SpaceError(f"pattern: {fusion.name}: no operator {fusion.operator}{stated} joins {len(fusion.args)} such arguments")
    return [way for way in ways if way]


def _draw_operator(
    settings: SpaceSettings,
    choose: Chooser,
    fusion: PatternFusion,
    streams: dict[str, Stream],
    taps: Sequence[Tap],
    many: tuple[bool, ...],
    made: Mapping[str, str],
) -> tuple[str, Params]:
    """Draw an operator that can work there, of which the join is one of its own: none with less, nor one with a fusion that it takes."""
    joined = [made.get(tap.source) if tap.depth == 0 else None for tap in taps]
    by_name = {modality.name: modality for modality in settings.modalities}
    first = next((stream for stream in streams.values() if stream.name == taps[0].source), None)
    has_grid = first is not None and by_name[first.modality].has_grid and first.encoder != "flatten" and isinstance(taps[0].depth, int)
    ways = list(_operators(settings, fusion, all_scores=all(tap.depth == "score" for tap in taps)))
    idle = "idle_parts" in settings.extras
    able = [tuple(name for name in way if idle or OPERATORS[name].works(many)) or way for way in ways]
    on_grid = [tuple(name for name in way if has_grid or not OPERATORS[name].needs_grid) or way for way in able]
    apart = [
        tuple(
            name
            for name in way
            if joins_anew(OPERATORS[name], taps)
            and not any(other in OPERATORS[name].absorbs for other in joined[OPERATORS[name].absorbs_from :])
        )
        for way in on_grid
    ]
    name = _pick(choose, f"{fusion.name}.operator", next((way for way in apart if way), on_grid[0]))
    fixed = next((fixed for operator, fixed in settings.joins.values() if operator.name == name), {})
    stated = {**fixed, **fusion.params}
    params = {
        param: stated[param] if param in stated else _pick(choose, f"{fusion.name}.{name}.{param}", entry.offered)
        for param, entry in OPERATORS[name].params.items()
    }
    return name, Params(params)


def _draw_trunk(settings: SpaceSettings, choose: Chooser, fusion: PatternFusion, deepest: int, *, is_output: bool) -> Trunk:
    """Draw a trunk as long as what is read of it; one that goes to a head may be longer."""
    stated = fusion.trunk
    length = deepest
    if stated is not None and stated.num_stages >= 0:
        length = stated.num_stages
    elif is_output:
        length = _pick(choose, f"{fusion.name}.trunk", tuple(range(deepest, max(deepest, settings.max_trunk) + 1)))
    if not length:
        return Trunk("fc", 0)
    family = stated.family if stated is not None else _pick(choose, f"{fusion.name}.family", settings.families)
    return Trunk(family, length)


def _draw_training(settings: SpaceSettings, choose: Chooser, pattern: FusionPattern, fusions: Sequence[Fusion]) -> Training:
    if pattern.training is not None:
        return pattern.training
    if not fusions:
        return "joint"
    if not any(OPERATORS[fusion.operator].trained for fusion in fusions):
        return "independent"
    training: Training = _pick(choose, "training", settings.trainings_of_features)
    return training


def _pick(choose: Chooser, key: str, choices: tuple[T, ...]) -> T:
    """Ask for one of the choices, under a name that says which they are."""
    code = f"{zlib.crc32(repr(choices).encode()) & 0xFFFF:04x}"
    chosen: T = choose.pick(key, choices, f"{key}.{code}")
    return chosen
