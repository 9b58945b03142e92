"""Curves and points as a static SVG, without a browser and without plotly: for a paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

from fusearch.reports.findings.axes import linear_ticks

__all__ = ["Series", "SeriesLook", "chart_svg"]

_WIDTH, _HEIGHT = 400, 380
_LEFT, _RIGHT, _BOTTOM, _LINE = 60, 16, 56, 18

SeriesLook = Literal["first", "second", "guide"]


@dataclass(frozen=True)
class Series:
    """One curve, or one cloud of points.

    Attributes:
        name: What the legend says; empty for one more curve of the entry before.
        x: Horizontal places.
        y: Vertical places.
        look: Colour: of the first or the second thing that is compared, or a dashed guide.
        low: Lower end of the band, or of the bars at points.
        high: Upper end.
        points: Whether points are drawn.
        line: Whether they are joined.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    look: SeriesLook
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    points: bool = False
    line: bool = True


def chart_svg(series: Sequence[Series], x_title: str, y_title: str, *, unit: bool = False) -> str:
    """Draw series in one plane.

    Args:
        series: What is drawn; later ones lie above.
        x_title: Title of the horizontal axis.
        y_title: Title of the vertical axis.
        unit: Whether both axes run from 0 to 1.

    Returns:
        The text of an SVG file, in light and dark.
    """
    named = [each for each in series if each.name]
    top = 14 + _LINE * len(named)
    place = _Place(series, top, unit=unit)
    style = (Path(__file__).parent / "assets" / "front.css").read_text(encoding="utf-8")
    legend = "".join(_legend(each, 8 + _LINE * at) for at, each in enumerate(named))
    drawn = "".join([*_axes(place, x_title, y_title), *(_drawn(place, each) for each in series), legend])
    size = f'width="{_WIDTH}" height="{_HEIGHT}"'
    title = escape(f"{y_title} against {x_title}: {', '.join(each.name for each in named)}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="front" {size} viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
        f'<title>{title}</title><style>{style}</style><rect class="paper" {size} rx="8"/>{drawn}</svg>\n'
    )


class _Place:
    """From values to pixels."""

    def __init__(self, series: Sequence[Series], top: int, *, unit: bool) -> None:
        self.top = top
        self.range_x = (0.0, 1.0) if unit else _range([value for each in series for value in each.x])
        self.range_y = (0.0, 1.0) if unit else _range([value for each in series for value in (*each.y, *each.low, *each.high)])

    def x(self, value: float) -> float:
        low, high = self.range_x
        return round(_LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        low, high = self.range_y
        return round(_HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - self.top - _BOTTOM), 1)

    def path(self, x: Sequence[float], y: Sequence[float]) -> str:
        return "M" + "L".join(f"{self.x(a)} {self.y(b)}" for a, b in zip(x, y, strict=True))


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.04 * (high - low) or 0.1 * (abs(high) or 1.0)
    return low - room, high + room


def _axes(place: _Place, x_title: str, y_title: str) -> Iterator[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for value in linear_ticks(*place.range_y):
        yield f'<path class="grid" d="M{_LEFT} {place.y(value)}H{right}"/>'
        yield f'<text class="tick" x="{_LEFT - 8}" y="{place.y(value) + 4}" text-anchor="end">{value:g}</text>'
    for value in linear_ticks(*place.range_x):
        yield f'<path class="grid" d="M{place.x(value)} {place.top}V{bottom}"/>'
        yield f'<text class="tick" x="{place.x(value)}" y="{bottom + 18}" text-anchor="middle">{value:g}</text>'
    middle_x, middle_y = (_LEFT + right) / 2, (place.top + bottom) / 2
    yield f'<text class="title" x="{middle_x}" y="{_HEIGHT - 14}" text-anchor="middle">{escape(x_title)}</text>'
    yield f'<text class="title" transform="translate(18 {middle_y}) rotate(-90)" text-anchor="middle">{escape(y_title)}</text>'


def _drawn(place: _Place, series: Series) -> str:
    parts = []
    if series.low and not series.points:
        x, y = [*series.x, *reversed(series.x)], [*series.high, *reversed(series.low)]
        parts.append(f'<path class="band {series.look}" d="{place.path(x, y)}Z"/>')
    if series.line:
        parts.append(f'<path class="curve {series.look}" d="{place.path(series.x, series.y)}"/>')
    if series.points:
        ends = zip(series.x, series.low, series.high, strict=True) if series.low else ()
        parts += [f'<path class="curve {series.look}" d="M{place.x(x)} {place.y(low)}V{place.y(high)}"/>' for x, low, high in ends]
        dots = zip(series.x, series.y, strict=True)
        parts += [f'<circle class="dot {series.look}" cx="{place.x(x)}" cy="{place.y(y)}" r="2.6"/>' for x, y in dots]
    return "".join(parts)


def _legend(series: Series, y: int) -> str:
    mark = f'<path class="curve {series.look}" d="M{_LEFT} {y + 6}h22"/>' if series.line else ""
    mark += f'<circle class="dot {series.look}" cx="{_LEFT + 11}" cy="{y + 6}" r="2.6"/>' if series.points else ""
    return f'{mark}<text class="tick" x="{_LEFT + 30}" y="{y + 10}">{escape(series.name)}</text>'
