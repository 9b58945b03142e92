"""The digest of a design: the same for designs that differ only in names, in order, or in the order of symmetric arguments.

Colours of streams and fusions are refined along the edges in both directions until they are stable (Weisfeiler and Leman 1968). Where
several parts still share a colour, each of them in turn is told apart and refined again; the least serialization over all those choices
is hashed. Above a fixed number of choices, parts that share a colour are told apart by name: such a digest still identifies a design,
but may differ after renaming (decision 0021).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from fusearch.search_space.design.computation import Computation, ComputedEdge
from fusearch.search_space.design.parts import Output
from fusearch.search_space.design.resolution import Resolution
from fusearch.tasks.several import AUXILIARY

__all__ = ["MAX_CHOICES", "compute_digest"]

#: Most serializations that are compared: all orders of five interchangeable streams.
MAX_CHOICES = 120

#: Number of the node that is read, depth, and results.
_Edge = tuple[int, str, tuple[int, ...]]


def compute_digest(design: Resolution, main: Output) -> str:
    """Return twelve hex digits.

    Args:
        design: A resolved design.
        main: The output of the main task.
    """
    text = repr(_least_form(_Parts(Computation(design, main), design)))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class _Parts:
    """Nodes by number, and the edges between them."""

    def __init__(self, computation: Computation, design: Resolution) -> None:
        self.training = design.training
        self.names = list(computation.nodes)
        number = {name: number for number, name in enumerate(self.names)}
        nodes = list(computation.nodes.values())

        def edge(read: ComputedEdge) -> _Edge:
            return number[read.node], f"{read.depth}, goes on" if read.continued else read.depth, read.ports

        self.labels = [node.label for node in nodes]
        self.ties = {index: [number[other] for other in node.tied] for index, node in enumerate(nodes) if node.tied}
        self.args = {index: [edge(arg) for arg in node.args] for index, node in enumerate(nodes) if node.args}
        self.ordered = {index: node.ordered for index, node in enumerate(nodes)}
        self.onward = {index: number[node.onward] for index, node in enumerate(nodes) if node.onward is not None}
        # Of several tasks an output gives the one that it is named for; one without a name beside the main one is auxiliary.
        self.outputs = [
            (*edge(read), "" if is_main else output.task or AUXILIARY, is_main)
            for (read, is_main), output in zip(computation.outputs, design.outputs, strict=True)
        ]

    def edge_key(self, source: int, depth: str, ports: tuple[int, ...], colors: Sequence[int]) -> tuple[Any, ...]:
        """Describe a tap by colours. A port of a symmetric fusion is known by its argument, not by its position."""
        if ports and not self.ordered[source]:
            args = self.args[source]
            return colors[source], depth, tuple(sorted(self._arg_key(args[port], colors) for port in ports))
        return colors[source], depth, ports

    def _arg_key(self, arg: _Edge, colors: Sequence[int]) -> tuple[Any, ...]:
        """Describe an argument by which a port is known, the port that it reads itself with it."""
        key = self.edge_key(*arg, colors)
        return key if arg[2] else key[:2]

    def arg_keys(self, number: int, colors: Sequence[int]) -> list[tuple[Any, ...]]:
        keys = [self.edge_key(*arg, colors) for arg in self.args[number]]
        return keys[: self.ordered[number]] + sorted(keys[self.ordered[number] :])


def _refine(parts: _Parts, colors: list[int]) -> list[int]:
    """Refine colours until no part can be told apart any more."""
    count = len(set(colors))
    while True:
        seen: list[list[tuple[Any, ...]]] = [[] for _ in colors]
        keys: list[list[tuple[Any, ...]]] = [[] for _ in colors]
        for number, args in parts.args.items():
            keys[number] = parts.arg_keys(number, colors)
            for index, (source, depth, ports) in enumerate(args):
                place = min(index, parts.ordered[number]) if parts.ordered[number] else -1
                seen[source].append((colors[number], place, parts.edge_key(source, depth, ports, colors)))
        for number, others in parts.ties.items():
            for other in others:
                seen[other].append((colors[number], -2))
            keys[number] += sorted((colors[other], -2) for other in others)
        for number, stream in parts.onward.items():
            seen[stream].append((colors[number], -3))
            keys[number].append((colors[stream], -3))
        for source, depth, ports, task, is_main in parts.outputs:
            seen[source].append((-1, task, is_main, depth, parts.edge_key(source, depth, ports, colors)))
        signatures = [repr((colors[number], keys[number], sorted(map(repr, seen[number])))) for number in range(len(colors))]
        colors = _rank(signatures)
        if len(set(colors)) == count:
            return colors
        count = len(set(colors))


def _rank(signatures: Sequence[Any]) -> list[int]:
    ranks = {signature: rank for rank, signature in enumerate(sorted(set(signatures)))}
    return [ranks[signature] for signature in signatures]


def _least_form(parts: _Parts) -> tuple[Any, ...]:
    start = _refine(parts, _rank([repr(label) for label in parts.labels]))
    forms: list[tuple[Any, ...]] = []
    if not _collect_forms(parts, start, forms):
        by_name = sorted(range(len(start)), key=lambda number: (start[number], parts.names[number]))
        return _form(parts, [by_name.index(number) for number in range(len(start))])
    return min(forms)


def _collect_forms(parts: _Parts, colors: list[int], forms: list[tuple[Any, ...]]) -> bool:
    """Collect the serializations of all ways to tell equal colours apart; return False where there are too many."""
    shared = min((color for color in colors if colors.count(color) > 1), default=None)
    if shared is None:
        forms.append(_form(parts, colors))
        return len(forms) <= MAX_CHOICES
    for number in [number for number, color in enumerate(colors) if color == shared]:
        # Doubling keeps the order of the colours and makes room right below the one chosen.
        chosen = [2 * color for color in colors]
        chosen[number] -= 1
        if not _collect_forms(parts, _refine(parts, chosen), forms):
            return False
    return True


def _form(parts: _Parts, colors: Sequence[int]) -> tuple[Any, ...]:
    """Serialize a design whose parts all have different colours."""
    numbers = sorted(range(len(colors)), key=lambda number: colors[number])
    rows = []
    for number in numbers:
        keys = parts.arg_keys(number, colors) if number in parts.args else []
        tied = min((colors[other] for other in parts.ties.get(number, ())), default=-1)
        links = (tied, colors[parts.onward[number]] if number in parts.onward else -1)
        rows.append(repr((parts.labels[number], keys, links)))
    outputs = sorted(
        repr((parts.edge_key(source, depth, ports, colors), task, is_main)) for source, depth, ports, task, is_main in parts.outputs
    )
    return (*rows, *outputs, parts.training)
