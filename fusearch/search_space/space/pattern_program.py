"""The program of a space that a pattern restricts: it asks for whatever the pattern leaves open, and nothing else.

The pattern gives the fusions, who takes what, and the depths that it states; asked are what `?` sources stand for (one choice among all
ways that obey the rules), the modality and encoder of each stream, the letters, operators of a class, parameters, trunks and training.
Every name of a decision ends with a code of its choices, so that under one name they are always the same (decision 0095).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TypeVar

from fusearch.errors import SpaceError, suggestion
from fusearch.search_space.design.parts import Depth, Fusion, Output, RuleError, Stream, Tap, Training, Trunk
from fusearch.search_space.design.pattern import FusionPattern
from fusearch.search_space.design.pattern_parts import UNKNOWN, PatternFusion, PatternStream, PatternTap, Unknown
from fusearch.search_space.design.structure import check_uses, coverage, topological_order
from fusearch.search_space.entries.encoder import ENCODERS
from fusearch.search_space.entries.operator import OPERATORS
from fusearch.search_space.entries.parameter import Params, Value, combinations
from fusearch.search_space.space.choosers import Chooser
from fusearch.search_space.space.program import Parts, draw_parts
from fusearch.search_space.space.space_settings import SpaceSettings

T = TypeVar("T", bound=Value)

__all__ = ["check_pattern", "draw_design", "draw_pattern", "encoders_offered", "least_stages", "resolutions"]

#: Most ways to fill in `?` sources that are listed.
MAX_RESOLUTIONS = 2000


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
    letters = _draw_letters(settings, choose, pattern, stages)

    def tap(wanted: PatternTap, key: str) -> Tap:
        depth: Depth
        most = stages.get(wanted.source, settings.max_trunk)
        if wanted.depth == UNKNOWN:
            depth = _pick(choose, key, tuple(range(most + 1)))
        elif isinstance(wanted.depth, int) or wanted.depth in ("L", "score", "*"):
            depth = wanted.depth  # type: ignore[assignment]  # a pattern's depth without letters is a design's
        else:
            letter, plus = _letter(wanted.depth)
            depth = letters[letter] + plus
        source = streams[wanted.source].name if wanted.source in streams else wanted.source
        port = streams[wanted.port].name if wanted.port in streams else wanted.port
        return Tap(source, depth, port)

    taps = {fusion.name: [tap(arg, f"{fusion.name}.{at}.depth") for at, arg in enumerate(fusion.args)] for fusion in pattern.fusions}
    outputs = tuple(Output(tap(output.source, f"output.{at}.depth"), output.task) for at, output in enumerate(pattern.outputs))
    read = [arg for args in taps.values() for arg in args]
    ends = {output.source.source for output in outputs}
    fusions: list[Fusion] = []
    for fusion in pattern.fusions:
        operator, params = _draw_operator(
            settings, choose, fusion, streams, taps[fusion.name], {made.name: made.operator for made in fusions}
        )
        deepest = max((arg.depth for arg in read if arg.source == fusion.name and isinstance(arg.depth, int)), default=0)
        trunk = _draw_trunk(settings, choose, fusion, deepest, is_output=fusion.name in ends)
        fusions.append(Fusion(fusion.name, operator, tuple(taps[fusion.name]), params, trunk))
    return Parts(tuple(streams.values()), tuple(fusions), outputs, _draw_training(settings, choose, pattern, fusions))


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
        if stream.tie is not None:
            raise SpaceError(f"pattern: stream {stream.name!r} is tied to {stream.tie!r}: no space draws ties")
        if stream.encoder is not None:
            ENCODERS[stream.encoder]  # an unknown name is refused with the nearest one
    for fusion in pattern.fusions:
        if fusion.trunk is not None and fusion.trunk.stream is not None:
            raise SpaceError(f"pattern: {fusion.name} has a trunk 'continue': a pattern in a space takes fc, conv, rnn or attention")
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
    for wanted in sorted(pattern.streams, key=lambda stream: (stream.modality is None, stream.is_free)):
        modality = _pick(choose, f"{wanted.name}.modality", _modalities(settings, pattern, wanted, taken))
        name = settings.slots[modality][sum(other == modality for other in taken.values())]
        taken[wanted.name] = modality
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
    if not fitting:
        raise SpaceError(f"pattern: {stream.name} is taken after {least} stages, no encoder of {', '.join(names)} has as many")
    return fitting


def least_stages(pattern: FusionPattern, stream: str) -> int:
    """Return how many stages a stream needs at least."""
    taps = [arg for fusion in pattern.fusions for arg in fusion.args] + [output.source for output in pattern.outputs]
    depths: list[Unknown] = [tap.depth for tap in taps if tap.source == stream]
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


def _draw_letters(settings: SpaceSettings, choose: Chooser, pattern: FusionPattern, stages: dict[str, int]) -> dict[str, int]:
    """Draw each letter, as deep as every source that it is a depth of can go."""
    most: dict[str, int] = {}
    for fusion in pattern.fusions:
        for arg in fusion.args:
            if _is_letter(arg.depth):
                letter, plus = _letter(arg.depth)
                most[letter] = min(most.get(letter, 100), stages.get(arg.source, max(settings.max_trunk, plus)) - plus)
    return {letter: int(_pick(choose, f"depth.{letter}", tuple(range(high + 1)))) for letter, high in sorted(most.items())}


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
    made: Mapping[str, str],
) -> tuple[str, Params]:
    """Draw an operator that can work there, and that does not make one join of this fusion and of one that it takes (decision 0028)."""
    joined = [made.get(tap.source) if tap.depth == 0 else None for tap in taps]
    by_name = {modality.name: modality for modality in settings.modalities}
    first = next((stream for stream in streams.values() if stream.name == taps[0].source), None)
    has_grid = first is not None and by_name[first.modality].has_grid and first.encoder != "flatten" and isinstance(taps[0].depth, int)
    ways = list(_operators(settings, fusion, all_scores=all(tap.depth == "score" for tap in taps)))
    on_grid = [tuple(name for name in way if has_grid or not OPERATORS[name].needs_grid) or way for way in ways]
    apart = [
        tuple(name for name in way if not any(other in OPERATORS[name].absorbs for other in joined[OPERATORS[name].absorbs_from :]))
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
