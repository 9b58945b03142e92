"""Our own SVG files as PDF at the size of a journal, vectors and text, by matplotlib (the extra `pdf`, decision 0061)."""

from __future__ import annotations

import importlib.util
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from fusearch.errors import FusearchError
from fusearch.reports.figures.svg_styles import StyleSheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path as Outline

__all__ = ["NO_PDF", "can_write_pdf", "pdf_of"]

#: Said where the extra is absent.
NO_PDF = "figures are written as SVG alone: for PDF too, pip install 'fusearch[pdf]'"

#: Millimetres: of a pixel, so that 400 pixels are a column; and of the two columns that nothing is wider than.
_PIXEL, _WIDEST = 0.22, 180.0
_INCH, _POINTS = 25.4, 72.0
_ANCHORS = {"start": "left", "middle": "center", "end": "right"}
_STEP = re.compile(r"([A-Za-z])|(-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?)")
_CLOSED = "Z"
#: Numbers that a command of an outline takes.
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "Q": 4, _CLOSED: 0}


def can_write_pdf() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def pdf_of(svg: str) -> bytes:
    """Draw one of our SVG files as a PDF page, in light colours.

    One column of a journal (88 mm) is 400 pixels; nothing is wider than two (180 mm).

    Raises:
        FusearchError: matplotlib is not installed, or the drawing has an element that is none of ours.
    """
    if not can_write_pdf():
        raise FusearchError(NO_PDF)
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure

    root = ElementTree.fromstring(svg)  # noqa: S314  # a drawing of our own
    left, top, width, height = map(float, root.get("viewBox", "0 0 1 1").split())
    page = min(_WIDEST, width * _PIXEL) / _INCH
    css = "".join(element.text or "" for element in root.iter() if _tag(element) == "style")
    with rc_context({"pdf.fonttype": 42, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(page, page * height / width))
        FigureCanvasPdf(figure)
        figure.patch.set_visible(False)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(left, left + width)
        axes.set_ylim(top + height, top)
        axes.axis("off")
        painter = _Painter(axes, StyleSheet(css), page * _POINTS / width)
        painter.paint(root, [], {})
        file = io.BytesIO()
        title = next((element.text for element in root if _tag(element) == "title"), None)
        figure.savefig(file, format="pdf", metadata={"CreationDate": None, "Title": title})
    return file.getvalue()


class _Painter:
    """Puts elements onto axes; `point` is the size of a pixel in points."""

    def __init__(self, axes: Axes, sheet: StyleSheet, point: float) -> None:
        self._axes, self._sheet, self._point, self._order = axes, sheet, point, 0

    def paint(self, element: Element, above: Sequence[Element], inherited: Mapping[str, str]) -> None:
        """Draw an element and what stands in it."""
        style = self._sheet.style_of(element, above, inherited)
        draw: Mapping[str, Callable[[Element, Mapping[str, str]], None]] = {
            "path": self._path,
            "circle": self._circle,
            "rect": self._rect,
            "text": self._text,
        }
        tag = _tag(element)
        if tag in draw:
            self._order += 1
            draw[tag](element, style)
        elif tag in ("svg", "g"):
            for each in element:
                self.paint(each, [*above, element], style)
        elif tag not in ("style", "title"):
            raise FusearchError(f"a drawing has an element {tag!r}, which the PDF does not know")

    def _path(self, element: Element, style: Mapping[str, str]) -> None:
        x, y, _, scale = _transform(element)
        self._patch(_outline(element.get("d", ""), x, y, scale), style)

    def _circle(self, element: Element, style: Mapping[str, str]) -> None:
        from matplotlib.path import Path as Outline

        middle = float(element.get("cx", 0)), float(element.get("cy", 0))
        self._patch(Outline.circle(middle, float(element.get("r", 0))), style)

    def _rect(self, element: Element, style: Mapping[str, str]) -> None:
        x, y, width, height, radius = (float(element.get(name, 0)) for name in ("x", "y", "width", "height", "rx"))
        right, bottom, r = x + width, y + height, min(radius, width / 2, height / 2)
        upper = f"M{x + r} {y}H{right - r}Q{right} {y} {right} {y + r}V{bottom - r}Q{right} {bottom} {right - r} {bottom}"
        lower = f"H{x + r}Q{x} {bottom} {x} {bottom - r}V{y + r}Q{x} {y} {x + r} {y}Z"
        self._patch(_outline(upper + lower, 0, 0, 1), style)

    def _patch(self, outline: Outline, style: Mapping[str, str]) -> None:
        from matplotlib.colors import to_rgba
        from matplotlib.patches import PathPatch

        width = float(_number(style.get("stroke-width", "1")))
        fill, stroke = style.get("fill", "#000"), style.get("stroke", "none")
        alpha = float(style.get("opacity", 1))
        patch = PathPatch(
            outline,
            facecolor=to_rgba(fill, alpha * float(style.get("fill-opacity", 1))) if fill != "none" else "none",
            edgecolor=to_rgba(stroke, alpha * float(style.get("stroke-opacity", 1))) if stroke != "none" else "none",
            linewidth=width * self._point if stroke != "none" else 0,
            joinstyle="round",
            capstyle="butt",
            zorder=self._order,
        )
        dashes = [float(each) / width for each in style.get("stroke-dasharray", "").split()]
        if dashes:
            patch.set_linestyle((0, dashes))
        self._axes.add_patch(patch)

    def _text(self, element: Element, style: Mapping[str, str]) -> None:
        from matplotlib.patheffects import Stroke

        x, y, turn, _ = _transform(element)
        text = "".join([element.text or "", *(f"{each.text or ''}{each.tail or ''}" for each in element if _tag(each) == "tspan")])
        look: dict[str, Any] = {
            "fontsize": _number(style.get("font-size", "12")) * self._point,
            "fontweight": "bold" if style.get("font-weight") == "600" else "normal",
            "horizontalalignment": _ANCHORS[element.get("text-anchor", "start")],
            "verticalalignment": "baseline",
            "rotation": -turn,
            "rotation_mode": "anchor",
            "parse_math": False,
            "color": style.get("fill", "#000"),
        }
        at = x + float(element.get("x", 0)), y + float(element.get("y", 0))
        if style.get("stroke", "none") != "none":  # a halo, behind the letters
            halo = Stroke(linewidth=_number(style["stroke-width"]) * self._point, foreground=style["stroke"])
            self._axes.text(*at, text, **look, path_effects=[halo], zorder=self._order)
        self._axes.text(*at, text, **look, zorder=self._order + 0.5)


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _number(text: str) -> float:
    return float(text.removesuffix("px"))


def _transform(element: Element) -> tuple[float, float, float, float]:
    """Return by how much an element is moved, turned (degrees) and scaled."""
    parts = re.findall(r"(\w+)\(([^)]*)\)", element.get("transform", ""))
    found = {name: [float(each) for each in numbers.split()] for name, numbers in parts}
    x, y = found.get("translate", [0.0, 0.0])
    return x, y, found.get("rotate", [0.0])[0], found.get("scale", [1.0])[0]


def _outline(d: str, x: float, y: float, scale: float) -> Outline:
    """Return the outline of a path, moved and scaled."""
    from matplotlib.path import Path as Outline

    codes = {"M": Outline.MOVETO, "L": Outline.LINETO, "C": Outline.CURVE4, "Q": Outline.CURVE3, _CLOSED: Outline.CLOSEPOLY}
    points: list[tuple[float, float]] = []
    kinds: list[int] = []
    for command, ends in _commands(d):
        points += [(x + scale * a, y + scale * b) for a, b in ends]
        kinds += [int(codes[command])] * len(ends)
    return Outline(points, kinds)


def _commands(d: str) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Give each command of a path, in places of the whole, with the points that it takes; H and V become lines."""
    steps = [(found[1], found[2]) for found in _STEP.finditer(d)]
    at, start, command, index = (0.0, 0.0), (0.0, 0.0), "M", 0
    while index < len(steps):
        if steps[index][0]:
            command, index = steps[index][0], index + 1
        takes = _TAKES[command.upper()]
        numbers = [float(steps[place][1]) for place in range(index, index + takes)]
        index += takes
        shift = at if command.islower() else (0.0, 0.0)
        kind = command.upper()
        if kind == _CLOSED:
            at = start
            yield _CLOSED, [start]
            continue
        if kind in "HV":
            ends = [(numbers[0] + shift[0], at[1]) if kind == "H" else (at[0], numbers[0] + shift[1])]
        else:
            ends = [(a + shift[0], b + shift[1]) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
        at = ends[-1]
        start = at if kind == "M" else start
        yield ("L" if kind in "HV" else kind), ends
        if kind == "M":
            command = "l" if command == "m" else "L"  # further pairs after a move are lines
