"""The parts of a drawing, with their places in pixels: rails, nodes, edges, marks, heads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fusearch.reports.figures.routing import Wire

if TYPE_CHECKING:
    from fusearch.search_space import Depth

__all__ = ["LANE", "SLOT", "Edge", "Head", "Mark", "Node", "Placement", "Rail"]

#: Pixels from one depth of a rail to the next, and from one lane to the next.
SLOT, LANE = 26.0, 64.0


@dataclass(frozen=True)
class Rail:
    """A stream: its label, its input at (x, y), and the stages that the design uses."""

    name: str
    caption: str
    colour: int
    x: float
    y: float
    num_used: int
    num_stages: int
    scored: bool

    def at(self, depth: Depth) -> float:
        """Return the x of a depth."""
        if depth == "score":
            return self.x + (self.num_stages + 1) * SLOT
        return self.x + (self.num_stages if isinstance(depth, str) else depth) * SLOT


@dataclass(frozen=True)
class Node:
    """A fusion: its box, lines of parameters that are not at their defaults, and its trunk to the right of the box."""

    name: str
    operator: str
    symbol: str
    params: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float
    trunk: int
    trunk_caption: str
    trunk_colour: int | None

    def at(self, depth: Depth) -> float:
        """Return the x of a depth of the trunk; 0 is the right edge of the box."""
        steps = self.trunk if isinstance(depth, str) else depth
        return self.x + self.width + steps * SLOT


@dataclass(frozen=True)
class Edge:
    """The way of a tap, and the colour of the stream that it comes from (None: a fusion)."""

    wire: Wire
    colour: int | None


@dataclass(frozen=True)
class Mark:
    """A depth that something takes, with its label."""

    x: float
    y: float
    label: str
    colour: int | None


@dataclass(frozen=True)
class Head:
    """A task head at the end of an output."""

    x: float
    y: float
    text: str
    start: float


@dataclass(frozen=True)
class Placement:
    """A drawing's parts; `top` and `left` are the least coordinates, `width` and `height` the size."""

    rails: tuple[Rail, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    marks: tuple[Mark, ...]
    heads: tuple[Head, ...]
    left: float
    top: float
    width: float
    height: float
