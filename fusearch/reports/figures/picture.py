"""The Pareto front as a static SVG: a picture for a README, without a browser and without plotly (decision 0061)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from fusearch.reports.figures.routing import Box
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.front import FrontInfo, Point, extent, front_info
from fusearch.reports.wording import role_label

if TYPE_CHECKING:
    from fusearch.run import Run

__all__ = ["front_svg"]

_WIDTH, _HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 24, 52, 62
_CHARACTER = 6.6

_SHAPES = {"best_unimodal": "M0-7L7 0L0 7L-7 0Z", "linear": "M-5.5-5.5H5.5V5.5H-5.5Z", "early": "M0-7L7 5.5H-7Z", "late": "M0 7L7-5.5H-7Z"}
_SHAPES["penultimate"] = "M0-7L6.7-2.2L4.1 5.7H-4.1L-6.7-2.2Z"


def front_svg(run: Run | Findings | Path | str, x: str | None = None, y: str | None = None) -> str:
    """Draw the Pareto front of a run as one self-contained SVG, in light and dark.

    Args:
        run: A run, or its folder.
        x: Objective on the horizontal axis.
        y: Objective on the vertical axis.

    Returns:
        The text of an SVG file. A dominated design is a grey dot, one on the front a blue one, a reference has its own
        shape and its name; bars are standard errors over members.
    """
    found = run if isinstance(run, Findings) else read_findings(run)
    info = front_info(found, x, y)
    scale = _Scale(info)
    faint = [_dot(scale, point) for point in info.points if point.kind == "design"]
    strong = [_errors(scale, point) + _dot(scale, point) for point in info.points if point.kind == "front"]
    named = [_errors(scale, point) + _shape(scale, point) for point in info.points if point.kind == "reference"]
    rings = [_ring(scale, info.recommended)] if info.recommended is not None else []
    style = (Path(__file__).parent / "assets" / "front.css").read_text(encoding="utf-8")
    body = "".join([*_axes(scale), *faint, _step(scale), *_labels(scale), *strong, *named, *rings, _legend(info)])
    title = escape(f"{info.y.title} against {info.x.title}, {len(info.points)} designs")
    size = f'width="{_WIDTH}" height="{_HEIGHT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="front" {size} viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
        f'<title>{title}</title><style>{style}</style><rect class="paper" {size} rx="8"/>{body}</svg>\n'
    )


class _Scale:
    """From values to pixels."""

    def __init__(self, info: FrontInfo) -> None:
        self.info = info
        self.range_x, self.range_y = extent(info.x, info), extent(info.y, info)

    def x(self, value: float) -> float:
        low, high = self.range_x
        return round(_LEFT + (self.info.x.scaled(value) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        low, high = self.range_y
        return round(_HEIGHT - _BOTTOM - (self.info.y.scaled(value) - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM), 1)

    def at(self, point: Point) -> tuple[float, float]:
        return self.x(point.x), self.y(point.y)


def _axes(scale: _Scale) -> Iterator[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for value, label in scale.info.y.ticks(*map(scale.info.y.unscaled, scale.range_y)):
        y = scale.y(value)
        yield f'<path class="grid" d="M{_LEFT} {y}H{right}"/>'
        yield f'<text class="tick" x="{_LEFT - 10}" y="{y + 4}" text-anchor="end">{label}</text>'
    for value, label in scale.info.x.ticks(*map(scale.info.x.unscaled, scale.range_x)):
        x = scale.x(value)
        yield f'<path class="grid" d="M{x} {_TOP}V{bottom}"/>'
        yield f'<text class="tick" x="{x}" y="{bottom + 20}" text-anchor="middle">{label}</text>'
    middle_x, middle_y = (_LEFT + right) / 2, (_TOP + bottom) / 2
    yield f'<text class="title" x="{middle_x}" y="{_HEIGHT - 16}" text-anchor="middle">{escape(scale.info.x.title)}</text>'
    yield f'<text class="title" transform="translate(22 {middle_y}) rotate(-90)" text-anchor="middle">{escape(scale.info.y.title)}</text>'


def _step(scale: _Scale) -> str:
    if not scale.info.step:
        return ""
    return '<path class="step" d="M' + "L".join(f"{scale.x(x)} {scale.y(y)}" for x, y in scale.info.step) + '"/>'


def _dot(scale: _Scale, point: Point) -> str:
    x, y = scale.at(point)
    return f'<circle class="{point.kind}" cx="{x}" cy="{y}" r="{5 if point.on_front else 3}"/>'


def _shape(scale: _Scale, point: Point) -> str:
    x, y = scale.at(point)
    if point.role is None:
        return f'<circle class="other" cx="{x}" cy="{y}" r="3.5"/>'
    shape = _SHAPES.get(point.role, "M0-7L6-3.5V3.5L0 7L-6 3.5V-3.5Z")
    return f'<path class="reference{" onfront" if point.on_front else ""}" transform="translate({x} {y})" d="{shape}"/>'


def _ring(scale: _Scale, point: Point) -> str:
    x, y = scale.at(point)
    return f'<circle class="ring" cx="{x}" cy="{y}" r="11"/>'


def _errors(scale: _Scale, point: Point) -> str:
    x, y = scale.at(point)
    parts = []
    if point.y_error and not scale.info.y.log:
        low, high = scale.y(point.y - point.y_error), scale.y(point.y + point.y_error)
        parts.append(f"M{x} {low}V{high}M{x - 3} {low}h6M{x - 3} {high}h6")
    if point.x_error and not scale.info.x.log:
        low, high = scale.x(point.x - point.x_error), scale.x(point.x + point.x_error)
        parts.append(f"M{low} {y}H{high}M{low} {y - 3}v6M{high} {y - 3}v6")
    return f'<path class="bar {point.kind}" d="{"".join(parts)}"/>' if parts else ""


def _labels(scale: _Scale) -> Iterator[str]:
    """Name each reference at the nearest place around it that hides nothing."""
    taken = [_around(*scale.at(point), 8) for point in scale.info.points if point.kind != "design"]
    dots = [_around(*scale.at(point), 3) for point in scale.info.points if point.kind == "design"]
    dots += [_around(x, y, 2) for x, y in _along(scale)]
    for point in (point for point in scale.info.points if point.role):
        text = role_label(point.role or "").removeprefix("the ")
        x, y = scale.at(point)
        places = list(_places(x, y, _CHARACTER * len(text) + 4))
        if not places:  # a name too long for the picture
            continue
        anchor, at_x, at_y, box = min(places, key=lambda place: _cost(place[3], x, y, taken, dots))
        taken.append(box)
        near_x, near_y = min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
        if abs(near_x - x) + abs(near_y - y) > 18:
            yield f'<path class="leader" d="M{x} {y}L{near_x:g} {near_y:g}"/>'
        yield f'<text class="label" x="{at_x:g}" y="{at_y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _along(scale: _Scale) -> Iterator[tuple[float, float]]:
    """Points on the step line, some pixels apart."""
    corners = [(scale.x(x), scale.y(y)) for x, y in scale.info.step]
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        count = max(1, int((abs(x1 - x0) + abs(y1 - y0)) / 8))
        for step in range(count + 1):
            yield x0 + (x1 - x0) * step / count, y0 + (y1 - y0) * step / count


def _places(x: float, y: float, width: float) -> Iterator[tuple[str, float, float, Box]]:
    """Places for a label of some width, inside the frame."""
    frame = Box(_LEFT - 1, _TOP - 1, _WIDTH - _RIGHT + 1, _HEIGHT - _BOTTOM + 1)
    for dy in (4, -14, 22, -28, 36, -42, 50):
        for anchor, at in (("start", x + 13), ("end", x - 13), ("middle", x), ("end", _WIDTH - _RIGHT), ("start", _LEFT + 4)):
            left = {"start": at, "end": at - width, "middle": at - width / 2}[anchor]
            box = Box(left, y + dy - 11, left + width, y + dy + 3)
            if frame.holds(box.left, box.top) and frame.holds(box.right, box.bottom):
                yield anchor, at, y + dy, box


def _cost(box: Box, x: float, y: float, taken: Sequence[Box], dots: Sequence[Box]) -> float:
    hidden = 20.0 * sum(box.overlaps(other) for other in taken) + sum(box.overlaps(dot) for dot in dots)
    across = max(box.left - x, x - box.right, 0.0)
    return hidden + 0.08 * (across + abs((box.top + box.bottom) / 2 - y))


def _around(x: float, y: float, radius: float) -> Box:
    return Box(x - radius, y - radius, x + radius, y + radius)


def _legend(info: FrontInfo) -> str:
    entries = [("design", "design"), ("front", "on the front"), ("reference", "reference")]
    present = {point.kind for point in info.points} | {"front" for point in info.points if point.on_front}
    parts, x = [], _LEFT
    for kind, text in entries:
        if kind in present:
            mark = '<path class="reference" transform="translate({0} 26) scale(.8)" d="M0-7L7 0L0 7L-7 0Z"/>' if kind == "reference" else ""
            mark = mark.format(x + 5) or f'<circle class="{kind}" cx="{x + 5}" cy="26" r="{5 if kind == "front" else 3.5}"/>'
            parts.append(f'{mark}<text class="tick" x="{x + 16}" y="30">{text}</text>')
            x += 34 + int(_CHARACTER * len(text))
    if info.recommended is not None:
        parts.append(f'<circle class="ring" cx="{x + 7}" cy="26" r="7"/><text class="tick" x="{x + 22}" y="30">recommended</text>')
    return "".join(parts)
