"""Reads a design as the answers that the program of a space would need to make it again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from fusearch.errors import FusearchError, SpaceError
from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.parts import AUTO, Depth, Fusion, Stream
from fusearch.search_space.design.ports import port_name
from fusearch.search_space.entries.encoder import ENCODERS
from fusearch.search_space.entries.operator import OPERATORS
from fusearch.search_space.entries.parameter import Value, combinations
from fusearch.search_space.space.program import NOT_TAKEN, take_key
from fusearch.search_space.space.space_settings import SpaceSettings

__all__ = ["becomes", "num_spellings", "read_answers"]


def read_answers(settings: SpaceSettings, graph: FusionGraph) -> dict[str, Value]:
    """Return the answer to every decision, by key.

    Streams take the slots of their modality, and fusions their numbers, in an order in which the program could have made them. The
    caller checks that the design made from the answers has the same digest.

    Raises:
        SpaceError: The design has something that no answer gives: an unknown modality, more streams than slots, tied streams, a source
            taken twice by one fusion, an output that is neither the main one nor an auxiliary head.
    """
    order = _order_of_making(graph)
    slots = _slots(settings, graph, order)
    answers: dict[str, Value] = {"training": graph.training}
    if graph.training == "joint" and "joint" not in settings.trainings_of_features:
        answers["training"] = settings.trainings_of_features[0]  # of streams without a stage all modes are one
    counts = {modality.name: sum(stream.modality == modality.name for stream in graph.streams) for modality in settings.modalities}
    used = sum(count > 0 for count in counts.values())
    answers["modalities.all"] = used == len(counts)
    answers[f"modalities.1to{settings.counted_modalities}"] = used
    for name, count in counts.items():
        answers[f"{name}.used"] = count > 0
        answers[f"{name}.streams"] = count
    for stream in graph.streams:
        _read_stream(settings, graph, stream, slots[stream.name], answers)
        answers[f"{slots[stream.name]}.tie"] = NOT_TAKEN if stream.tie is None else slots[stream.tie]
    fusions = [graph.fusion(name) for name in order if name not in slots]
    names = {**slots, **{fusion.name: f"{settings.prefix}{number}" for number, fusion in enumerate(fusions, start=1)}}
    _read_outputs(settings, graph, names, answers)
    if not graph.fusions:
        return answers
    for least in (1, settings.least_fusions(len(graph.streams))):
        answers |= {f"fusions.{least}to{most}": len(graph.fusions) for most in (1, settings.max_joined)}
    voted = {settings.joins[text][0].name for text in settings.votes}
    only_scores = len(fusions) == 1 and all(arg.depth == "score" for arg in fusions[0].args) and fusions[0].operator in voted
    answers["level"] = "scores" if only_scores else "features"
    answers["output.trunk"] = answers["late.trunk"] = fusions[-1].trunk.num_stages
    if only_scores:
        answers["late.operator"] = _operator_text(settings, fusions[0], settings.votes)
        answers["late.family"] = fusions[0].trunk.family
        answers |= {f"late.{name}": value for name, value in _offered_params(fusions[0]).items()}
        return answers
    places = {name: place for place, name in enumerate(_source_order(settings, len(fusions)))}
    for fusion in fusions:
        _read_fusion(settings, graph, fusion, names, places, answers)
    return answers


def _read_stream(settings: SpaceSettings, graph: FusionGraph, stream: Stream, slot: str, answers: dict[str, Value]) -> None:
    """Find an encoder and parameters that this space offers and that become the stream, once what nothing reads is left out of them."""
    answers[f"{slot}.encoder"] = stream.encoder
    answers |= {f"{slot}.{name}": value for name, value in stream.params.items()}
    answers[f"{slot}.auxiliary"] = False
    spellings = _spellings(settings, graph, stream)
    spelling = next(spellings, None)
    if spelling is not None:
        if any(fusion.trunk.stream == stream.name for fusion in graph.fusions):
            # A trunk that continues a stream has to be offered, also where none of its stages is read: the last spelling has the most.
            *_, spelling = spelling, *spellings
        answers[f"{slot}.encoder"] = spelling[0]
        answers |= {f"{slot}.{key}": value for key, value in spelling[1].items()}


def _spellings(settings: SpaceSettings, graph: FusionGraph, stream: Stream) -> Iterator[tuple[str, dict[str, Value]]]:
    """Give the encoders, with parameters, that a space offers and that become the stream in a design."""
    for text, (name, fixed) in settings.chains.get(stream.modality, {}).items():
        for offered in combinations(ENCODERS[name].params, fixed):
            if becomes(graph, stream, Stream(stream.name, stream.modality, name, offered)):
                yield text, offered


def num_spellings(settings: SpaceSettings, graph: FusionGraph) -> int:
    """Return in how many ways a space offers the streams of a design."""
    return math.prod(max(1, sum(1 for _ in _spellings(settings, graph, stream))) for stream in graph.streams)


def becomes(graph: FusionGraph, stream: Stream, offered: Stream) -> bool:
    """Whether a design with the offered stream in the place of its own is the same design."""
    if (offered.encoder, offered.params) == (stream.encoder, stream.params):
        return True
    lender = stream.tie or stream.name
    family = {other.name for other in graph.streams if lender in (other.name, other.tie)}
    streams = tuple(
        replace(other, encoder=offered.encoder, params=offered.params) if other.name in family else other for other in graph.streams
    )
    onward = [fusion.trunk if fusion.trunk.stream is None else replace(fusion.trunk, num_stages=AUTO) for fusion in graph.fusions]
    fusions = tuple(replace(fusion, trunk=trunk) for fusion, trunk in zip(graph.fusions, onward, strict=True))
    try:
        return FusionGraph(graph.modalities, streams, fusions, graph.outputs, graph.training) == graph
    except FusearchError:  # it has too few stages
        return False


def _order_of_making(graph: FusionGraph) -> list[str]:
    """Return streams and fusions in an order in which every part follows what it takes and what stands before it as an argument.

    The program lists the arguments of an operator that is not symmetric in the order in which the sources were made, but for the first.
    """
    main = graph.main_output.source.source
    names = [*(stream.name for stream in graph.streams), *(name for name in graph.order if name != main)]
    names += [main] if main in graph.order else []
    before: dict[str, set[str]] = {name: set() for name in names}
    for stream in graph.streams:
        before[stream.name].update(() if stream.tie is None else (stream.tie,))
    for fusion in graph.fusions:
        sources = [arg.source for arg in fusion.args]
        before[fusion.name].update(sources)
        for place in range(1, OPERATORS[fusion.operator].num_ordered(fusion.params, len(sources))):
            for later in sources[place + 1 :]:
                before[later].add(sources[place])
    order: list[str] = []
    while names:
        # Where the wishes contradict each other no order is right, and the digest will tell.
        name = next((name for name in names if before[name] <= set(order)), names[0])
        names.remove(name)
        order.append(name)
    return order


def _slots(settings: SpaceSettings, graph: FusionGraph, order: list[str]) -> dict[str, str]:
    slots: dict[str, str] = {}
    for modality in {stream.modality: None for stream in graph.streams}:
        streams = sorted((stream for stream in graph.streams if stream.modality == modality), key=lambda stream: order.index(stream.name))
        if modality not in settings.slots:
            raise SpaceError(f"modality {modality!r} is not in this space: it has {', '.join(settings.slots)}")
        if len(streams) > len(settings.slots[modality]):
            raise SpaceError(f"{len(streams)} streams of modality {modality!r}: this space offers {settings.max_streams}")
        slots |= dict(zip((stream.name for stream in streams), settings.slots[modality], strict=False))
    for stream in graph.streams:
        if stream.tie is not None and "ties" not in settings.extras:
            raise SpaceError(f"stream {stream.name!r} is tied to {stream.tie!r}: this space offers no ties")
    return slots


def _read_outputs(settings: SpaceSettings, graph: FusionGraph, names: dict[str, str], answers: dict[str, Value]) -> None:
    several = "several_outputs" in settings.extras
    number = {name: key for key, name in enumerate(graph.order)}
    streams = {stream.name for stream in graph.streams}
    taken = {arg.source for fusion in graph.fusions for arg in fusion.args}
    for name in number:
        key = f"f{names[name].removeprefix(settings.prefix)}"
        answers[f"{key}.output"], answers[f"{key}.ends"] = False, name not in taken
    for output in graph.outputs:
        tap = output.source
        if output == graph.main_output:
            continue
        if tap.source in streams:
            answers[f"{names[tap.source]}.auxiliary"] = True
        elif several and tap.port is None:
            answers[f"f{names[tap.source].removeprefix(settings.prefix)}.output"] = True
        else:
            raise SpaceError(
                f"output {tap} -> {output.task or ''}: this space offers one main output, and auxiliary heads STREAM@score -> aux"
            )


def _operator_text(settings: SpaceSettings, fusion: Fusion, offered: Sequence[str]) -> str:
    """Return the first operator, with the parameters that it fixes, that the fusion has."""
    for text in offered:
        operator, fixed = settings.joins[text]
        if operator.name == fusion.operator and all(fusion.params[name] == value for name, value in fixed.items()):
            return text
    return fusion.operator


def _offered_params(fusion: Fusion) -> dict[str, Value]:
    """Return the parameters; one at its default that is not offered may be without effect, so that any choice will do."""
    params = OPERATORS[fusion.operator].params
    return {
        name: params[name].offered[0] if value == params[name].default and value not in params[name].offered else value
        for name, value in fusion.params.items()
    }


def _source_order(settings: SpaceSettings, num_fusions: int) -> list[str]:
    streams = [name for modality in settings.modalities for name in settings.slots[modality.name]]
    return streams + [f"{settings.prefix}{number}" for number in range(1, num_fusions + 1)]


def _read_fusion(
    settings: SpaceSettings, graph: FusionGraph, fusion: Fusion, names: dict[str, str], places: dict[str, int], answers: dict[str, Value]
) -> None:
    key = f"f{names[fusion.name].removeprefix(settings.prefix)}"
    for name in places:
        answers[take_key(key, name)] = answers[f"{take_key(key, name)} again"] = NOT_TAKEN
    listed = _listed(fusion, names, places)
    seen: set[str] = set()
    for index in listed:
        source = names[fusion.args[index].source]
        tap_key = f"{take_key(key, source)} again" if source in seen else take_key(key, source)
        if answers[tap_key] != NOT_TAKEN or (source in seen and "source_twice" not in settings.extras):
            raise SpaceError(f"{fusion.name} takes {fusion.args[index].source!r} twice: this space offers one tap of a source a fusion")
        seen.add(source)
        answers[tap_key] = fusion.args[index].depth
        answers[f"{tap_key} port"] = _port(graph, fusion, index, names, places)
    answers[f"{key}.operator"] = _operator_text(settings, fusion, settings.features)
    # Where each argument stands among those that are left, in the order of the design.
    rest, position = list(listed), listed.index(0)
    ordered = OPERATORS[fusion.operator].num_ordered(fusion.params, len(fusion.args))
    if ordered:
        answers[f"{key}.first"] = position
        rest.remove(0)
        for index in range(1, ordered):
            answers[f"{key}.then{index}"] = rest.index(index)
            rest.remove(index)
    answers |= {f"{key}.{name}": value for name, value in _offered_params(fusion).items()}
    if fusion.trunk.stream is None:
        answers[f"{key}.continue"] = NOT_TAKEN
    else:
        answers[f"{key}.continue"] = position if OPERATORS[fusion.operator].commutes(fusion.params) else 0
    answers[f"{key}.family"] = fusion.trunk.family
    answers |= {f"{key}.trunk.from{least}": fusion.trunk.num_stages for least in range(fusion.trunk.num_stages + 1)}


def _rank(depth: Depth) -> tuple[int, int]:
    """Return the place of a depth among those that a source offers."""
    return (0, depth) if isinstance(depth, int) else (("L", "*", "score").index(depth) + 1, 0)


def _listed(fusion: Fusion, names: dict[str, str], places: dict[str, int]) -> list[int]:
    """Return the arguments as the program lists them: by the order of their sources, and of one source by depth."""
    return sorted(range(len(fusion.args)), key=lambda index: (places[names[fusion.args[index].source]], _rank(fusion.args[index].depth)))


def _port(graph: FusionGraph, fusion: Fusion, index: int, names: dict[str, str], places: dict[str, int]) -> str:
    """Return the name that the program gives to the port that an argument names."""
    tap = fusion.args[index]
    if tap.port is None:
        return NOT_TAKEN
    inner = graph.fusion(tap.source)
    (port,) = graph.ports_read(fusion.name, index)
    if port_name(inner.args, port) == inner.args[port].source:
        return names[inner.args[port].source]
    return str(1 + (_listed(inner, names, places).index(port) if OPERATORS[inner.operator].symmetric else port))
