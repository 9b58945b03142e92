"""Counts as horizontal bars in groups: a static SVG."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

__all__ = ["bars_svg"]

_WIDTH, _LEFT, _RIGHT = 640, 170, 60
_ROW, _GAP, _TOP = 20, 34, 14


def bars_svg(groups: Mapping[str, Mapping[str, int]], title: str) -> str:
    """Draw counts.

    Args:
        groups: Title of a group -> name -> count.
        title: What the figure shows, for whoever cannot see it.

    Returns:
        The text of an SVG file, in light and dark. Bars have one scale in all groups.
    """
    most = max((count for counts in groups.values() for count in counts.values()), default=1) or 1
    parts, y = [], _TOP
    for group, counts in groups.items():
        y += _GAP - 10
        parts.append(f'<text class="title" x="{_LEFT}" y="{y - 4}">{escape(group)}</text>')
        for name, count in counts.items():
            width = round((_WIDTH - _LEFT - _RIGHT) * count / most, 1)
            parts.append(f'<text class="tick" x="{_LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect class="count" x="{_LEFT}" y="{y + 3}" width="{width:g}" height="{_ROW - 6}" rx="2"/>')
            parts.append(f'<text class="tick" x="{_LEFT + width + 6:g}" y="{y + 14}">{count}</text>')
            y += _ROW
        y += 10
    style = (Path(__file__).parent / "assets" / "front.css").read_text(encoding="utf-8")
    size = f'width="{_WIDTH}" height="{y + _TOP}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="front" {size} viewBox="0 0 {_WIDTH} {y + _TOP}" role="img">'
        f'<title>{escape(title)}</title><style>{style}</style><rect class="paper" {size} rx="8"/>{"".join(parts)}</svg>\n'
    )
