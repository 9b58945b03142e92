"""Where each part of a design stands in its drawing: streams as rails from left to right, fusions where their taps meet.

Units are pixels. `x` grows with depth, `y` from lane to lane. `drawing` turns a `Placement` into SVG.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fusearch.reports.figures.marks import LANE, SLOT, Edge, Head, Mark, Node, Placement, Rail
from fusearch.reports.figures.routing import Box, route
from fusearch.search_space.entries.encoder import ENCODERS
from fusearch.search_space.entries.operator import OPERATORS

if TYPE_CHECKING:
    from fusearch.search_space import Depth, Fusion, FusionGraph, Output, Stream, Tap
    from fusearch.search_space.entries.parameter import Param, Value

__all__ = ["lay_out"]

_GAP = 52.0  # from the deepest tap to the fusion that takes it
_NODE_HEIGHT = 34.0
_CHARACTER = {11: 6.4, 13: 8.5}  # pixels of one character, by font size; 13 is bold


def text_width(text: str, size: int = 13) -> float:
    """Estimate the width of a text in pixels."""
    return len(text) * _CHARACTER[size]


def lay_out(graph: FusionGraph, modalities: Sequence[str] = ()) -> Placement:
    """Place the parts of a design.

    A fusion stands to the right of its deepest tap, at the mean height of its arguments, moved in steps of a quarter lane until
    it is clear of rails and of other fusions. A fusion whose trunk continues a stream stays on the lane of that stream.

    Args:
        graph: The design.
        modalities: Names of modalities in the order of their colours, so that a modality has one colour in all drawings.
    """
    plan = _Plan(graph, tuple(modalities))
    for name in graph.order:
        if name in plan.fusions:
            plan.place(plan.fusions[name])
    return plan.finish()


@dataclass
class _Plan:
    """A drawing in the making."""

    graph: FusionGraph
    modalities: tuple[str, ...] = ()
    rails: dict[str, Rail] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    fusions: dict[str, Fusion] = field(default_factory=dict)
    boxes: dict[str, Box] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fusions = {fusion.name: fusion for fusion in self.graph.fusions}
        names = dict.fromkeys([*self.modalities, *(modality.name for modality in self.graph.modalities)])
        colours = {name: index for index, name in enumerate(names)}
        for lane, stream in enumerate(self.graph.streams):
            rail = self._rail(stream, lane * LANE, colours.get(stream.modality, lane))
            self.rails[stream.name] = rail
            end = rail.at("score") if rail.scored else rail.at(rail.num_used)
            self.boxes[stream.name] = Box(rail.x - 10, rail.y - 13, end + 8, rail.y + 13)

    def _rail(self, stream: Stream, y: float, colour: int) -> Rail:
        total = self.graph.num_stages(stream.name)
        taps = [tap for fusion in self.graph.fusions for tap in fusion.args if tap.source == stream.name]
        taps += [output.source for output in self.graph.outputs if output.source.source == stream.name]
        depths = [total if isinstance(tap.depth, str) else tap.depth for tap in taps]
        return Rail(
            name=stream.name,
            caption=_stream_caption(stream),
            colour=colour,
            x=0.0,
            y=y,
            num_used=max(depths, default=0),
            num_stages=total,
            scored=any(tap.depth == "score" for tap in taps),
        )

    def source(self, tap: Tap) -> tuple[float, float]:
        part: Rail | Node = self.rails[tap.source] if tap.source in self.rails else self.nodes[tap.source]
        return part.at(tap.depth), part.y

    def place(self, fusion: Fusion) -> None:
        starts = [self.source(tap) for tap in fusion.args]
        params = _wrapped(_non_defaults(fusion.params, OPERATORS[fusion.operator].params))
        width = max(60.0, 34 + text_width(fusion.operator), *(text_width(line, 11) + 8 for line in params))
        height = max(_NODE_HEIGHT, 10.0 * len(starts) + 8)
        x = max(x for x, _ in starts) + _GAP
        trunk = fusion.trunk
        trunk_end = x + width + trunk.num_stages * SLOT + 6
        continued = self.rails.get(trunk.stream or "")
        # Above the box stands the name, below it the parameters or what the trunk is.
        above, below = height / 2 + 16, height / 2 + max(13 * len(params), 14 if trunk.num_stages else 4)
        y = self._clear(x - 14, trunk_end, above, below, continued.y if continued else sum(y for _, y in starts) / len(starts))
        self.nodes[fusion.name] = Node(
            name=fusion.name,
            operator=fusion.operator,
            symbol=OPERATORS[fusion.operator].symbol,
            params=params,
            x=x,
            y=y,
            width=width,
            height=height,
            trunk=trunk.num_stages,
            trunk_caption=f"rest of {trunk.stream}" if continued else trunk.family,
            trunk_colour=continued.colour if continued else None,
        )
        self.boxes[fusion.name] = Box(x, y - above, trunk_end, y + below)

    def _clear(self, left: float, right: float, above: float, below: float, wanted: float) -> float:
        """Return the height nearest to the wanted one at which nothing stands between left and right."""
        steps = (sign * step for step in itertools.count() for sign in (1, -1))
        heights = (wanted + step * LANE / 4 for step in steps)
        return next(y for y in heights if not any(box.overlaps(Box(left, y - above, right, y + below)) for box in self.boxes.values()))

    def finish(self) -> Placement:
        edges = [edge for fusion in self.graph.fusions for edge in self._edges(fusion)]
        heads = [self._head(output) for output in self.graph.outputs]
        boxes = list(self.boxes.values())
        label = max(max(text_width(rail.name), text_width(rail.caption, 11)) for rail in self.rails.values())
        ends = [(wire_x, wire_y) for edge in edges for wire_x, wire_y in edge.wire.points]
        left = -label - 26
        right = max([box.right for box in boxes] + [head.x + text_width(head.text, 11) + 24 for head in heads])
        top = min([box.top - 18 for box in boxes] + [y - 18 for _, y in ends])
        bottom = max([box.bottom + 16 for box in boxes] + [y + 16 for _, y in ends])
        return Placement(
            tuple(self.rails.values()),
            tuple(self.nodes.values()),
            tuple(edges),
            tuple(self._marks()),
            tuple(heads),
            left,
            top,
            right - left + 8,
            bottom - top,
        )

    def _edges(self, fusion: Fusion) -> list[Edge]:
        node = self.nodes[fusion.name]
        # Arguments enter the box in the order of the heights that they come from, so that edges do not cross at the box.
        order = sorted(range(len(fusion.args)), key=lambda index: self.source(fusion.args[index])[1])
        entries = [node.y + (place - (len(order) - 1) / 2) * 10 for place in range(len(order))]
        # Where an argument comes in at almost the height of its entry, all entries move a little and that edge is straight.
        shift = min((self.source(fusion.args[index])[1] - entry for entry, index in zip(entries, order, strict=True)), key=abs)
        shift = shift if abs(shift) <= 6 else 0.0
        edges = []
        for entry, index in zip(entries, order, strict=True):
            tap = fusion.args[index]
            start, entry = self.source(tap), entry + shift
            low, high = min(start[1], entry), max(start[1], entry)
            lanes = [step * LANE / 2 for step in range(-2, 2 * len(self.rails) + 4) if low - LANE < step * LANE / 2 < high + LANE]
            others = [box for name, box in self.boxes.items() if name != fusion.name]
            edges.append(Edge(route(start, (node.x, entry), others, lanes), self._colour(tap)))
        return edges

    def _marks(self) -> list[Mark]:
        """One mark for each depth that something takes, with the ports that are taken there."""
        ports: dict[tuple[str, Depth], list[str]] = {}
        for tap in (tap for fusion in self.graph.fusions for tap in fusion.args):
            found = ports.setdefault((tap.source, tap.depth), [])
            if tap.port and tap.port not in found:
                found.append(tap.port)
        marks = []
        for (source, depth), names in ports.items():
            part: Rail | Node = self.rails[source] if source in self.rails else self.nodes[source]
            colour = part.colour if isinstance(part, Rail) else part.trunk_colour
            # A fusion without a trunk has one depth only, which need not be said.
            shown = "" if isinstance(part, Node) and not part.trunk else f"@{depth} "
            marks.append(Mark(part.at(depth), part.y, (shown + ", ".join(names)).strip(), colour))
        return marks

    def _colour(self, tap: Tap) -> int | None:
        return self.rails[tap.source].colour if tap.source in self.rails else self.nodes[tap.source].trunk_colour

    def _head(self, output: Output) -> Head:
        x, y = self.source(output.source)
        return Head(x + 34, y, output.task or "head", x)


def _stream_caption(stream: Stream) -> str:
    params = _non_defaults(stream.params, ENCODERS[stream.encoder].params)
    caption = f"{stream.modality} · {stream.encoder}" if stream.modality != stream.name else stream.encoder
    if stream.encoder == "identity":
        caption = caption.replace("identity", "raw")
    caption += f" ({params})" if params else ""
    return f"{caption} · weights of {stream.tie}" if stream.tie else caption


def _wrapped(text: str) -> tuple[str, ...]:
    return tuple(textwrap.wrap(text, width=30, break_long_words=False, break_on_hyphens=False))


def _non_defaults(given: Mapping[str, Value], params: Mapping[str, Param]) -> str:
    return ", ".join(f"{name}={value}" for name, value in given.items() if name in params and value != params[name].default)
