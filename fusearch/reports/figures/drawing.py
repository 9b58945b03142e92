"""A design as a picture: SVG in the manner of a railway map, streams as rails, fusions as the stations where they meet."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from fusearch.errors import FusearchError
from fusearch.layout import replace_file
from fusearch.reports.figures.marks import SLOT, Edge, Head, Mark, Node, Rail
from fusearch.reports.figures.placement import lay_out

if TYPE_CHECKING:
    from fusearch.search_space import FusionGraph

__all__ = ["draw", "write_drawing"]

#: Number of colours for streams; a ninth stream starts again.
_COLOURS = 8
_STAGE_WIDTH, _STAGE_HEIGHT = 14.0, 20.0


def draw(graph: FusionGraph, *, modalities: Sequence[str] = (), standalone: bool = True) -> str:
    """Draw a design as SVG: input on the left, head on the right.

    Args:
        graph: The design.
        modalities: Names of modalities in the order of their colours; by default the order of the design.
        standalone: Whether the styles (light and dark) stand inside the SVG; the report page brings its own once.

    Returns:
        One `<svg>` element. All text in it is escaped.
    """
    layout = lay_out(graph, modalities)
    size = f'width="{layout.width:.0f}" height="{layout.height:.0f}"'
    view = f'viewBox="{layout.left:.0f} {layout.top:.0f} {layout.width:.0f} {layout.height:.0f}"'
    parts = [
        *(_edge(edge) for edge in layout.edges),
        *(_rail(rail) for rail in layout.rails),
        *(_node(node) for node in layout.nodes),
        *(_mark(mark) for mark in layout.marks),
        *(_head(head) for head in layout.heads),
    ]
    style = f"<style>{stylesheet()}</style>" if standalone else ""
    # On a page a wide drawing shrinks, but not so far that it cannot be read; then it scrolls.
    frame = ' xmlns="http://www.w3.org/2000/svg"' if standalone else f' style="min-width:{0.7 * layout.width:.0f}px"'
    title = escape(f"Drawing of the design {graph}")
    return f'<svg{frame} class="design" {size} {view} role="img"><title>{title}</title>{style}{"".join(parts)}</svg>'


def write_drawing(graph: FusionGraph, file: Path) -> None:
    """Draw a design into an SVG file.

    Raises:
        FusearchError: It cannot be written.
    """
    try:
        replace_file(file, draw(graph) + "\n")
    except OSError as error:
        raise FusearchError(f"cannot write {str(file)!r}: {error.strerror or error}") from None


def stylesheet() -> str:
    """Return the styles of drawings."""
    return (Path(__file__).parent / "assets" / "drawing.css").read_text(encoding="utf-8")


def _stream_class(colour: int | None) -> str:
    return "fused" if colour is None else f"m{colour % _COLOURS}"


def _rail(rail: Rail) -> str:
    end = rail.at("score") if rail.scored else rail.at(rail.num_used)
    parts = [
        f'<text class="name" x="{rail.x - 16:g}" y="{rail.y - 1:g}" text-anchor="end">{escape(rail.name)}</text>',
        f'<text class="small" x="{rail.x - 16:g}" y="{rail.y + 12:g}" text-anchor="end">{escape(rail.caption)}</text>',
    ]
    if end > rail.x:
        parts.append(f'<path class="rail" d="M{rail.x:g} {rail.y:g}H{end:g}"/>')
    parts.append(f'<circle class="input" cx="{rail.x:g}" cy="{rail.y:g}" r="5"/>')
    parts += [_stage(rail.at(depth), rail.y) for depth in range(1, rail.num_used + 1)]
    if rail.scored:
        x, y = end - SLOT / 2, rail.y
        parts.append(f'<path class="stage" d="M{x - 8:g} {y:g}L{x:g} {y - 8:g}L{x + 8:g} {y:g}L{x:g} {y + 8:g}Z"/>')
    return f'<g class="{_stream_class(rail.colour)}">{"".join(parts)}</g>'


def _stage(end: float, y: float) -> str:
    left = end - SLOT / 2 - _STAGE_WIDTH / 2
    return f'<rect class="stage" x="{left:g}" y="{y - _STAGE_HEIGHT / 2:g}" width="{_STAGE_WIDTH:g}" height="{_STAGE_HEIGHT:g}" rx="3"/>'


def _node(node: Node) -> str:
    middle = node.x + node.width / 2
    top = node.y - node.height / 2
    symbol = f'<tspan class="symbol">{escape(node.symbol)}</tspan>'
    parts = [
        f'<rect class="fusion" x="{node.x:g}" y="{top:g}" width="{node.width:g}" height="{node.height:g}" rx="8"/>',
        f'<text class="operator" x="{middle:g}" y="{node.y + 4.5:g}" text-anchor="middle">{symbol} {escape(node.operator)}</text>',
        f'<text class="small" x="{middle:g}" y="{top - 5:g}" text-anchor="middle">{escape(node.name)}</text>',
    ]
    for line, text in enumerate(node.params):
        y = top + node.height + 13 * (line + 1)
        parts.append(f'<text class="small" x="{middle:g}" y="{y:g}" text-anchor="middle">{escape(text)}</text>')
    drawn = "".join(parts)
    if not node.trunk:
        return f"<g>{drawn}</g>"
    start, end = node.at(0), node.at(node.trunk)
    trunk = [f'<path class="rail" d="M{start:g} {node.y:g}H{end:g}"/>']
    trunk += [_stage(node.at(depth), node.y) for depth in range(1, node.trunk + 1)]
    trunk.append(f'<text class="small" x="{start + (SLOT - _STAGE_WIDTH) / 2:g}" y="{node.y + 24:g}">{escape(node.trunk_caption)}</text>')
    return f'<g>{drawn}<g class="{_stream_class(node.trunk_colour)}">{"".join(trunk)}</g></g>'


def _edge(edge: Edge) -> str:
    return f'<g class="{_stream_class(edge.colour)}"><path class="edge" d="{edge.wire.svg()}"/></g>'


def _mark(mark: Mark) -> str:
    dot = f'<circle class="tap" cx="{mark.x:g}" cy="{mark.y:g}" r="3.2"/>'
    label = f'<text class="depth" x="{mark.x:g}" y="{mark.y - 14:g}" text-anchor="middle">{escape(mark.label)}</text>' if mark.label else ""
    return f'<g class="{_stream_class(mark.colour)}">{dot}{label}</g>'


def _head(head: Head) -> str:
    width = 7 * len(head.text) + 16
    return (
        f'<g class="fused"><path class="edge" d="M{head.start:g} {head.y:g}H{head.x - 7:g}"/>'
        f'<path class="arrow" d="M{head.x - 9:g} {head.y - 5:g}L{head.x:g} {head.y:g}L{head.x - 9:g} {head.y + 5:g}Z"/>'
        f'<rect class="head" x="{head.x + 2:g}" y="{head.y - 12:g}" width="{width:g}" height="24" rx="12"/>'
        f'<text class="headname" x="{head.x + 2 + width / 2:g}" y="{head.y + 4:g}" text-anchor="middle">{escape(head.text)}</text></g>'
    )
