"""What a design computes, as nodes and edges: however its parts are called and spelled, one function is one such graph (decision 0028).

Other than the parts of a design, which a formula names, these are: the raw values of a modality, whichever streams read them; one stream
for all that read one modality with the same weights; each tap of what is joined side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fusearch.search_space.design.normal_form import computes_the_same, without_repeats
from fusearch.search_space.design.parts import Fusion, Output, Stream, Tap
from fusearch.search_space.design.resolution import Resolution
from fusearch.search_space.design.tap_facts import Carried, carried_args
from fusearch.search_space.encoders import FLATTEN, IDENTITY, POOL
from fusearch.search_space.entries.encoder import ENCODERS

__all__ = ["Computation", "ComputedEdge", "ComputedNode"]


@dataclass(frozen=True)
class ComputedEdge:
    """What an argument or an output reads: a node, how many of its stages, and which of its results where it has several."""

    node: str
    depth: str
    ports: tuple[int, ...] = ()
    continued: bool = False


@dataclass
class ComputedNode:
    """Raw values, a stream, or a fusion.

    Attributes:
        label: What is known of it without its neighbours.
        args: What a fusion joins.
        ordered: How many of these stand at a place of their own.
        tied: The nodes with which it shares its weights, or the one that lends them where that matters.
        onward: The stream that its trunk continues.
    """

    label: tuple[Any, ...]
    args: list[ComputedEdge] = field(default_factory=list)
    ordered: int = 0
    tied: tuple[str, ...] = ()
    onward: str | None = None


class Computation:
    """The nodes of a design that its outputs need.

    Args:
        design: A resolved design.
        main: The output of the main task.

    Attributes:
        nodes: By name; those with a blank in their name are no part that a formula names.
        outputs: What each output reads, and whether it is the one of the main task. What a task is called computes nothing.
    """

    def __init__(self, design: Resolution, main: Output) -> None:
        self.nodes: dict[str, ComputedNode] = {}
        self._design = design
        self._carried = carried_args(design)
        self._taken: dict[str, list[tuple[ComputedEdge, Carried]]] = {}
        self._other_names: dict[str, ComputedEdge] = {}
        self._alone = design.training in ("staged", "frozen")  # each lender is trained before the design, on its own modality
        reads: dict[tuple[str, str], str] = {}
        self._stream = {
            stream.name: reads.setdefault((stream.tie or stream.name, stream.modality), stream.name) for stream in design.streams.values()
        }
        for name in reads.values():
            stream = design.streams[name]
            self.nodes[name] = ComputedNode(_stream_label(stream))
        for name in design.order:
            self._add(design.fusions[name])
        self.outputs = [
            (self._head(output.source, design.ports["->", index]), output == main) for index, output in enumerate(design.outputs)
        ]
        self._drop_unread()
        self._pool()
        self._free_order()
        self._tie(reads)
        self._part_repeated_results()

    def _add(self, fusion: Fusion) -> None:
        design, name = self._design, fusion.name
        operator, going_on = design.operators[name], design.continued.get(name)
        pairs: list[tuple[ComputedEdge, Carried]] = []
        for index, (tap, carried) in enumerate(zip(fusion.args, self._carried[name], strict=True)):
            edge = self._edge(tap, design.ports[name, index], continued=going_on is not None and going_on[0] == index)
            pairs += self._side_by_side(fusion, index, edge, carried)
        if fusion.operator == "cat" and not fusion.params["align"]:
            pairs = [(self._flat(edge), carried) for edge, carried in pairs]
        self._taken[name] = pairs = without_repeats(operator, pairs, [carried for _, carried in pairs])
        args = [edge for edge, _ in pairs]
        if len(args) == 1:
            self._other_names[name] = args[0]  # the maximum of one
        if fusion.operator == "cat" and (fusion.params["align"] or not any(carried.many for _, carried in pairs)):
            self._name_all_results(name, args)
        label = (fusion.operator, tuple(sorted(fusion.params.items())), fusion.trunk.family, fusion.trunk.num_stages)
        onward = self._stream[fusion.trunk.stream] if fusion.trunk.stream is not None else None
        self.nodes[name] = ComputedNode(label, args, operator.num_ordered(fusion.params, len(args)), onward=onward)

    def _edge(self, tap: Tap, ports: tuple[int, ...], *, continued: bool) -> ComputedEdge:
        stream = self._design.streams.get(tap.source)
        if stream is None:
            other = self._other_names.get(tap.source) if tap.depth == 0 else None
            return other or ComputedEdge(tap.source, str(tap.depth), ports)
        raw = _raw(stream) if tap.depth != "score" and tap.depth != "*" and self._design.depth_of(tap) == 0 else None
        if raw is None:
            return ComputedEdge(self._stream[tap.source], str(tap.depth))
        return ComputedEdge(self._raw_values(raw), str(tap.depth), continued=continued)

    def _head(self, tap: Tap, ports: tuple[int, ...]) -> ComputedEdge:
        """Return what an output reads; the head of a stream gives its class scores, and is apart from its raw values."""
        if tap.source in self._design.streams:
            return ComputedEdge(self._stream[tap.source], str(tap.depth))
        return self._edge(tap, ports, continued=False)

    def _raw_values(self, stream: Stream) -> str:
        name = f"{stream.encoder} {stream.modality}"
        self.nodes[name] = ComputedNode(_stream_label(stream))
        return name

    def _flat(self, edge: ComputedEdge) -> ComputedEdge:
        """Where all values stand side by side, those of many tokens are the whole sample as one token."""
        encoder, _, modality = edge.node.partition(" ")
        positions = next((each.layout.positions for each in self._design.modalities if each.name == modality), ())
        if encoder != IDENTITY.name or not positions or edge.depth != "0":
            return edge
        return ComputedEdge(self._raw_values(Stream("flat", modality, FLATTEN.name)), "0", continued=edge.continued)

    def _side_by_side(self, fusion: Fusion, index: int, edge: ComputedEdge, carried: Carried) -> list[tuple[ComputedEdge, Carried]]:
        """Return what stands in an argument, one by one, where the operator computes the same of it."""
        design, operator = self._design, self._design.operators[fusion.name]
        if index < operator.absorbs_from:
            return [(edge, carried)]
        inner = design.fusions.get(edge.node)
        if inner is not None and edge.depth == "0" and inner.trunk.stream is None and inner.operator in operator.absorbs:
            return self._taken[inner.name] if computes_the_same(design, fusion, inner, self._carried) else [(edge, carried)]
        if "cat" not in operator.absorbs or carried.many:
            return [(edge, carried)]
        if len(edge.ports) > 1:
            return [(ComputedEdge(edge.node, edge.depth, (port,)), Carried(False)) for port in edge.ports]
        if edge.depth == "*" and not any(design.has_many_at(edge.node, depth) for depth in range(1, design.stages[edge.node] + 1)):
            return [(ComputedEdge(edge.node, str(depth)), Carried(False)) for depth in range(1, design.stages[edge.node] + 1)]
        return [(edge, carried)]

    def _name_all_results(self, name: str, args: Sequence[ComputedEdge]) -> None:
        """Note that a concatenation of all results of one fusion is what a tap of all of them reads."""
        source, depth = args[0].node, args[0].depth
        if source not in self._design.fusions or not self._design.operators[source].ports:
            return
        every = tuple(range(len(self._design.fusions[source].args)))
        read = sorted(edge.ports for edge in args if (edge.node, edge.depth) == (source, depth))
        if len(args) == len(every) and read == [(port,) for port in every]:
            self._other_names[name] = ComputedEdge(source, depth, every)

    def _drop_unread(self) -> None:
        read: set[str] = set()
        left = [edge.node for edge, _ in self.outputs]
        while left:
            name = left.pop()
            if name in read:
                continue
            read.add(name)
            node = self.nodes[name]
            left += [edge.node for edge in node.args] + ([node.onward] if node.onward is not None else [])
            if self._alone and name in self._design.streams:
                left += [lender for lender in (self._design.streams[name].tie,) if lender is not None]
        self.nodes = {name: node for name, node in self.nodes.items() if name in read}

    def _pool(self) -> None:
        """Where only the mean of a stream's tokens counts, the embedding is what is read."""
        made_one: set[str] = set()
        for name in (name for name in self._design.order if name in self.nodes):
            fusion, operator, node = self._design.fusions[name], self._design.operators[name], self.nodes[name]
            pairs = [(edge, replace(of, many=of.many and edge.node not in made_one)) for edge, of in self._taken[name]]
            many = tuple(of.many for _, of in pairs)
            told = ["averaged"] * len(many) if self._keeps_one_token(fusion) else operator.token_order(fusion.params, many)
            one_width = not operator.takes_width_of_one(fusion.params) or len({of.width or edge for edge, of in pairs}) == 1
            for index, (edge, of) in enumerate(pairs):
                linear = told[index] == "linear" and sum(many) == 1 and one_width and self._is_averaged(name)
                if of.many and (told[index] == "averaged" or linear) and (embedding := self._embedding(edge)) is not None:
                    pairs[index] = embedding, replace(of, many=False)
            if pairs == self._taken[name]:
                continue
            self._taken[name], node.args = pairs, [edge for edge, _ in pairs]
            many = tuple(of.many for _, of in pairs)
            idle = operator.idle(many)
            params = {key: operator.params[key].default if key in idle else value for key, value in fusion.params.items()}
            node.label = (fusion.operator, tuple(sorted(params.items())), *node.label[2:])
            if not (any(many) if operator.ports else operator.has_many(params, many)):
                made_one.add(name)

    def _keeps_one_token(self, fusion: Fusion) -> bool:
        """Whether an elementwise operator brings all arguments to one that is one vector."""
        operator, going_on = self._design.operators[fusion.name], self._design.continued.get(fusion.name)
        if operator.keeps != "first" or not operator.matches_features or (going_on is None and operator.commutes(fusion.params)):
            return False
        return not self._carried[fusion.name][going_on[0] if going_on is not None else 0].many

    def _is_averaged(self, name: str) -> bool:
        """Whether only the mean over tokens of a fusion's result counts."""
        if any(edge.node == name and edge.depth != "0" for edge, _ in self.outputs):
            return False
        for reader in (reader for reader in self._design.order if reader in self.nodes):
            many = tuple(of.many for _, of in self._taken[reader])
            told = self._design.operators[reader].token_order(self._design.fusions[reader].params, many)
            for index, edge in enumerate(self.nodes[reader].args):
                if edge.node != name or (edge.depth == "0" and told[index] == "averaged"):
                    continue
                if edge.depth != "0" or told[index] != "linear" or sum(many) != 1 or not self._is_averaged(reader):
                    return False
        return True

    def _embedding(self, edge: ComputedEdge) -> ComputedEdge | None:
        """Return the mean of the tokens that an edge carries, None where nothing is called so."""
        encoder, _, raw = edge.node.partition(" ")
        if raw:
            return replace(edge, depth="L") if encoder == IDENTITY.name and not edge.continued else None
        stream = self._design.streams.get(edge.node)
        if stream is None or edge.depth != str(self._design.stages[edge.node]) or stream.params.get(POOL, "mean") != "mean":
            return None
        return replace(edge, depth="L")

    def _free_order(self) -> None:
        """Where nothing sees the order of the tokens of one argument after the other, the order of the arguments means nothing."""
        readers: dict[str, list[tuple[str, int, str]]] = {}
        for name, node in self.nodes.items():
            for index, edge in enumerate(node.args):
                readers.setdefault(edge.node, []).append((name, index, edge.depth))

        def seen(name: str) -> bool:
            trunk = self._design.fusions[name].trunk.family
            # What an output reads is a mean over tokens.
            ends = any(edge.node == name and edge.depth != "0" for edge, _ in self.outputs)
            if trunk not in ("fc", "attention") and (ends or any(depth != "0" for _, _, depth in readers.get(name, ()))):
                return True
            for reader, index, _ in readers.get(name, ()):
                many = tuple(carried.many for _, carried in self._taken[reader])
                order = self._design.operators[reader].token_order(self._design.fusions[reader].params, many)[index]
                if order == "seen" or (order in ("kept", "linear") and seen(reader)):
                    return True
            return False

        for name in self._design.order:
            operator, params = self._design.operators[name], self._design.fusions[name].params
            if name in self.nodes and operator.tokens_of_all(params) and not seen(name):
                self.nodes[name].ordered = 0
            if name in self.nodes and operator.matches_features:
                self._match_features(name)

    def _match_features(self, name: str) -> None:
        """Where the features of two concatenations meet at their places, what each joins stands at a place of its own."""
        widths = [self._width(edge, carried) for edge, carried in self._taken[name]]
        for edge, width in zip(self.nodes[name].args, widths, strict=True):
            if len(width) > 1 and widths.count(width) > 1 and edge.node in self._design.fusions:
                self.nodes[edge.node].ordered = len(width)

    def _width(self, edge: ComputedEdge, carried: Carried) -> tuple[str, ...]:
        """Return what the features that an edge carries are made of, in any order: empty where only the shapes tell it."""
        fusion = self._design.fusions.get(edge.node)
        if fusion is None or edge.depth != "0" or fusion.operator not in ("cat", "gated_cat"):
            return (carried.width,) if carried.width is not None else ()
        parts = [(of.many, of.width) for _, of in self._taken[edge.node]]
        return tuple(sorted(str(width) for _, width in parts)) if not any(many or width is None for many, width in parts) else ()

    def _tie(self, reads: dict[tuple[str, str], str]) -> None:
        for (lender, _), name in reads.items():
            if name not in self.nodes or not self._design.stages[name]:
                continue
            if self._alone:
                self.nodes[name].tied = () if name == lender else (lender,)
            else:
                alike = [other for (other_lender, _), other in reads.items() if other_lender == lender]
                self.nodes[name].tied = tuple(other for other in alike if other != name and other in self.nodes)

    def _part_repeated_results(self) -> None:
        """Give each result of a symmetric operator a node of its own where another one has the same argument: which one is read counts."""
        repeated = {
            (name, port)
            for name, node in self.nodes.items()
            if name in self._design.fusions and self._design.operators[name].ports and not node.ordered
            for port, arg in enumerate(node.args)
            if node.args.count(arg) > 1
        }

        def part(edge: ComputedEdge) -> ComputedEdge:
            if len(edge.ports) != 1 or (edge.node, edge.ports[0]) not in repeated:
                return edge
            (port,) = edge.ports
            name = f"{edge.node} {port}"
            if name not in self.nodes:
                self.nodes[name] = ComputedNode(("result",), [part(self.nodes[edge.node].args[port])], 1, onward=edge.node)
            return ComputedEdge(name, edge.depth)

        for node in list(self.nodes.values()):
            node.args = [part(arg) for arg in node.args]
        self.outputs = [(part(edge), is_main) for edge, is_main in self.outputs]


def _stream_label(stream: Stream) -> tuple[Any, ...]:
    return stream.modality, stream.encoder, tuple(sorted(stream.params.items()))


def _raw(stream: Stream) -> Stream | None:
    """Return the stream without stages that gives what one gives before its first stage, None where that is unknown."""
    encoder = ENCODERS[stream.encoder]
    if encoder.num_stages(stream.params) == 0:
        return stream
    if encoder.first_stages is None or encoder.first_stages(stream.params, 0) != (IDENTITY.name, {}):
        return None
    return Stream(stream.name, stream.modality, IDENTITY.name)
