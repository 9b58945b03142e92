"""Every trial as a line over parallel axes, as SVG and not by plotly (decision 0061)."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

from fusearch.amounts import counted
from fusearch.reports.findings.parallel import FIFTHS, ParallelAxis, Parallels

__all__ = ["parallel_stylesheet", "parallel_svg"]

#: Pixels between two axes, and around them.
_BETWEEN, _LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 118, 56, 124, 62, 18, 460
_CHARACTERS = 19
_KEY = ("worst fifth", *("",) * (FIFTHS - 2), "best fifth")


def parallel_stylesheet() -> str:
    """Return the styles of the drawing, for a page."""
    return (Path(__file__).parent / "assets" / "parallel.css").read_text(encoding="utf-8")


def parallel_svg(found: Parallels, *, standalone: bool = True) -> str:
    """Draw trials over parallel axes, the best ones on top; empty where there are none.

    Args:
        found: The trials.
        standalone: Whether the styles stand inside, and a ground behind.
    """
    if not found.axes:
        return ""
    width = _LEFT + _BETWEEN * (len(found.axes) - 1) + _RIGHT
    size = f'width="{width}" height="{_HEIGHT}"'
    about = f"{counted(len(found.trials), 'trial')} over {counted(len(found.axes), 'axis', 'axes')}, coloured by {found.axes[0].title}"
    style = f"<style>{parallel_stylesheet()}</style>" if standalone else ""
    paper = f'<rect class="paper" {size} rx="8"/>' if standalone else ""
    strands = "".join(_strands(found))
    axes = "".join(part for at, axis in enumerate(found.axes) for part in _axis(at, axis))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="parallel" {size} viewBox="0 0 {width} {_HEIGHT}" role="img" '
        f'aria-label="{escape(about)}"><title>{escape(about)}</title>{style}{paper}{_key()}{strands}{axes}</svg>'
    )


def _x(at: int) -> int:
    return _LEFT + _BETWEEN * at


def _y(place: float) -> float:
    return round(_HEIGHT - _BOTTOM - place * (_HEIGHT - _TOP - _BOTTOM), 1)


def _strands(found: Parallels) -> Iterator[str]:
    """Give the lines, the worst first, and once more that of the recommended design, on top."""
    lines = ["L".join(f"{_x(axis)} {_y(each.places[at]):g}" for axis, each in enumerate(found.axes)) for at in range(len(found.trials))]
    for number, fifth, line in zip(found.trials, found.fifths, lines, strict=True):
        yield f'<path class="strand f{fifth}" data-trial="{number}" d="M{line}"/>'
    if found.recommended is not None:
        yield f'<path class="strand recommended" d="M{lines[found.trials.index(found.recommended)]}"/>'


def _axis(at: int, axis: ParallelAxis) -> Iterator[str]:
    x = _x(at)
    yield f'<path class="axis" d="M{x} {_y(0):g}V{_y(1):g}"/>'
    yield f'<text class="name" x="{x}" y="{_TOP - 14}" text-anchor="middle">{escape(axis.title)}</text>'
    for place, label in axis.ticks:
        shown = label if len(label) <= _CHARACTERS else f"{label[: _CHARACTERS - 1]}…"
        told = f"<title>{escape(label)}</title>" if shown != label else ""
        yield f'<text x="{x + 5}" y="{_y(place) + 4:g}">{escape(shown)}{told}</text>'


def _key() -> str:
    """Return what the colours mean."""
    parts, x = [], _LEFT
    for fifth, text in enumerate(_KEY):
        parts.append(f'<path class="strand f{fifth}" style="stroke-width:4;opacity:1" d="M{x} 16h22"/>')
        x += 28
        if text:
            parts.append(f'<text x="{x}" y="20">{text}</text>')
            x += 74
    parts.append(f'<path class="strand recommended" d="M{x} 16h22"/><text x="{x + 28}" y="20">recommended</text>')
    return "".join(parts)
