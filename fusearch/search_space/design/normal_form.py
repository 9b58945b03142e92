"""The normal form of a design: what is built, and nothing else (decision 0028).

Two formulas that compute the same with the same weights become the same parts: stages that nothing reads are left out, parameters without
effect are at their defaults, and a join of joins is one join where it computes the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import gcd
from typing import TypeVar

from fusearch.search_space.design.parts import AUTO, Fusion, Output, Stream, Tap, Training, Trunk
from fusearch.search_space.design.resolution import Resolution
from fusearch.search_space.design.tap_facts import Carried, carried_args
from fusearch.search_space.encoders import FLATTEN, IDENTITY, POOL
from fusearch.search_space.entries.encoder import EMBEDDING, ENCODERS, Chain
from fusearch.search_space.entries.operator import Operator
from fusearch.search_space.entries.parameter import Params, complete_params

__all__ = ["NormalParts", "computes_the_same", "normal_form", "without_repeats"]

T = TypeVar("T")

#: Streams, fusions, outputs and training of a design.
NormalParts = tuple[tuple[Stream, ...], tuple[Fusion, ...], tuple[Output, ...], Training]


def normal_form(design: Resolution) -> NormalParts | None:
    """Return the parts one step nearer to the normal form, None where the design has it."""
    given: NormalParts = (tuple(design.streams.values()), tuple(design.fusions.values()), design.outputs, design.training)
    carried, reads = carried_args(design), _reads(design)
    fusions = _used([_simpler(design, fusion, carried) for fusion in given[1]], design.outputs)
    outputs = tuple(_ended(design, output) for output in given[2])
    changed: NormalParts = (_shorter(design, reads), fusions, outputs, _training(design, reads))
    if changed == given:
        return None
    # As many stages go on through a stream as it has left.
    onward = tuple(fusion if fusion.trunk.stream is None else _auto(fusion) for fusion in changed[1])
    return changed[0], onward, changed[2], changed[3]


def _auto(fusion: Fusion) -> Fusion:
    return replace(fusion, trunk=replace(fusion.trunk, num_stages=AUTO))


def _ended(design: Resolution, output: Output) -> Output:
    """A head on the embedding of a stream gives its class scores."""
    if output.source.source in design.streams and output.source.depth == "score":
        return replace(output, source=replace(output.source, depth=design.stages[output.source.source]))
    return output


def _training(design: Resolution, reads: Mapping[str, int]) -> Training:
    """Streams of which no stage is read hold nothing that could be trained before the design."""
    alone = design.training in ("staged", "frozen") and not any(reads.values())
    return "joint" if alone and not any(output.source.source in design.streams for output in design.outputs) else design.training


# Streams


def _reads(design: Resolution) -> dict[str, int]:
    """Return how many stages of each stream something reads."""
    deepest = dict.fromkeys(design.streams, 0)
    ends = {output.source.source for output in design.outputs}
    for name, fusion in design.fusions.items():
        for arg in fusion.args:
            if arg.source in deepest:
                deepest[arg.source] = max(deepest[arg.source], design.depth_of(arg))
        if fusion.trunk.stream is not None:
            read = _trunk_read(design, name)
            if read:
                deepest[fusion.trunk.stream] = max(deepest[fusion.trunk.stream], design.continued[name][1] + read)
    return {name: design.stages[name] if name in ends else depth for name, depth in deepest.items()}


def _trunk_read(design: Resolution, name: str) -> int:
    """Return how many stages of a fusion's trunk something reads."""
    if any(output.source.source == name for output in design.outputs):
        return design.stages[name]
    return max((design.depth_of(arg) for fusion in design.fusions.values() for arg in fusion.args if arg.source == name), default=0)


def _shorter(design: Resolution, reads: Mapping[str, int]) -> tuple[Stream, ...]:
    pooled = {output.source.source for output in design.outputs}
    pooled |= {arg.source for fusion in design.fusions.values() for arg in fusion.args if arg.depth in ("L", "score")}
    streams = []
    for stream in design.streams.values():
        family = [other.name for other in design.streams.values() if (other.tie or other.name) == (stream.tie or stream.name)]
        streams.append(_shortened(design, stream, max(reads[name] for name in family), pooled=bool(pooled & set(family))))
    taken = {arg.source for fusion in design.fusions.values() for arg in fusion.args} | {output.source.source for output in design.outputs}
    return _lent(streams, taken) if design.training not in ("staged", "frozen") else tuple(streams)


def _lent(streams: Sequence[Stream], taken: Collection[str]) -> tuple[Stream, ...]:
    """Let the first stream that something takes lend the weights, where nothing takes the one that is written as the lender."""
    heirs = {
        stream.name: next(other.name for other in streams if other.tie == stream.name)
        for stream in streams
        if stream.name not in taken and any(other.tie == stream.name for other in streams)
    }
    kept = [stream for stream in streams if stream.name not in heirs]
    ties = {stream.name: heirs.get(stream.tie, stream.tie) if stream.tie is not None else None for stream in kept}
    return tuple(replace(stream, tie=None if ties[stream.name] == stream.name else ties[stream.name]) for stream in kept)


def _shortened(design: Resolution, stream: Stream, depth: int, *, pooled: bool) -> Stream:
    encoder = ENCODERS[stream.encoder]
    alone = design.training in ("staged", "frozen") and depth > 0  # trained before the design, and then whole
    chain: Chain = (stream.encoder, stream.params)
    if encoder.first_stages is not None and not alone and (depth < design.stages[stream.name] or not pooled):
        chain = encoder.first_stages(stream.params, depth)
    modality = design.modality_of(stream.name)
    if stream.encoder == FLATTEN.name and modality.shape and not modality.layout.positions:
        chain = (IDENTITY.name, {})
    name, params = chain
    if POOL in params and not pooled and not alone:
        params = {key: value for key, value in params.items() if key != POOL}
    if EMBEDDING in params and modality.layout.channel is not None:
        params = {key: value for key, value in params.items() if key != EMBEDDING}  # numbers are not looked up
    if depth == 0 and stream.tie is not None and name == IDENTITY.name:
        stream = replace(stream, tie=None)  # there are no weights to share
    return replace(stream, encoder=name, params=Params(complete_params(params, ENCODERS[name].params, name)))


# Fusions


def _used(fusions: Sequence[Fusion], outputs: Sequence[Output]) -> tuple[Fusion, ...]:
    """Leave out what nothing takes any more."""
    while True:
        taken = {arg.source for fusion in fusions for arg in fusion.args} | {output.source.source for output in outputs}
        kept = [fusion for fusion in fusions if fusion.name in taken]
        if len(kept) == len(fusions):
            return tuple(kept)
        fusions = kept


def _simpler(design: Resolution, fusion: Fusion, carried: Mapping[str, Sequence[Carried]]) -> Fusion:
    operator = design.operators[fusion.name]
    idle = operator.idle(tuple(each.many for each in carried[fusion.name]))
    params = {name: operator.params[name].default if name in idle else value for name, value in fusion.params.items()}
    trunk = fusion.trunk
    if trunk.stream is not None and _trunk_read(design, fusion.name) == 0 and not operator.takes_width_of_one(fusion.params):
        trunk = Trunk("fc", 0)  # no stage goes on
    args = _absorbed(design, fusion, carried)
    if args == fusion.args:
        args = tuple(without_repeats(operator, args, carried[fusion.name]))
        args = args if operator.takes(len(args)) else fusion.args
    return replace(fusion, args=args, params=Params(params), trunk=trunk)


def _absorbed(design: Resolution, fusion: Fusion, carried: Mapping[str, Sequence[Carried]]) -> tuple[Tap, ...]:
    """Put the arguments of an argument in its place, where the operator computes the same of them."""
    operator = design.operators[fusion.name]
    for index, arg in enumerate(fusion.args):
        if index < operator.absorbs_from or arg.source not in design.fusions or arg.depth != 0:
            continue
        inner = design.fusions[arg.source]
        if inner.trunk.stream is not None or inner.operator not in operator.absorbs:
            continue
        if any(design.ports[each.name, at] for each in (fusion, inner) for at in range(len(each.args))):
            continue  # which port an argument reads hangs on the other arguments
        if computes_the_same(design, fusion, inner, carried):
            return (*fusion.args[:index], *inner.args, *fusion.args[index + 1 :])
    return fusion.args


def computes_the_same(design: Resolution, outer: Fusion, inner: Fusion, carried: Mapping[str, Sequence[Carried]]) -> bool:
    """Whether an operator computes the same of the arguments of an argument, where it absorbs that one's operator."""
    operator = design.operators[outer.name]
    if operator.takes_width_of_one(outer.params):
        everything = [*carried[outer.name], *carried[inner.name]]
        widths = {each.width for each in everything}
        return not any(each.many for each in everything) and len(widths) == 1 and None not in widths
    if not any(each.many for each in carried[inner.name]):
        return True
    return outer.operator == inner.operator and not any(fusion.params[name] for fusion in (outer, inner) for name in operator.token_params)


def without_repeats(operator: Operator, args: Sequence[T], carried: Sequence[Carried]) -> list[T]:
    """Leave out arguments that stand there again without effect."""
    start = operator.repeats_from
    ordered, rest = list(args[:start]), list(args[start:])
    widths = {each.width for each in carried[start:]}
    own = len(widths) != 1 or not widths <= ({"recipe"} if start else {"recipe", "scores"})  # a linear map for each of them
    own = own and (start > 0 or rest.count(rest[0]) < len(rest))
    if operator.repeats in ("count", "nothing") or (operator.repeats == "share" and own):
        return [*ordered, *rest]
    times = {index: rest.count(arg) for index, arg in enumerate(rest)}
    share = gcd(*times.values()) if operator.repeats == "share" else max(times.values())
    kept = [arg for index, arg in enumerate(rest) if rest[:index].count(arg) * share < times[index]]
    return ordered + kept
