"""The Pareto front as a figure: every design, the front as a step line, the references by name."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fusearch import pareto
from fusearch.contracts import Objective
from fusearch.reports.axes import Axis, axis_of
from fusearch.reports.findings import Findings, read_findings, standard_error
from fusearch.reports.wording import metric_label, number, role_label, sentence_case
from fusearch.study import TrialRecord

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from fusearch.run import Run

__all__ = ["FrontInfo", "Point", "front_figure", "front_info", "front_pairs"]

Kind = Literal["design", "front", "reference"]

#: Plotly's name of the symbol of each role; a role of a plug-in takes the last.
SYMBOLS = {"best_unimodal": "diamond", "linear": "square", "early": "triangle-up", "late": "triangle-down", "penultimate": "pentagon"}
COLOURS = {"design": "#8b95a5", "front": "#2f6fdb", "reference": "#d9602b", "recommended": "#1f9d76"}
_GRID = "rgba(128,138,152,.22)"


@dataclass(frozen=True)
class Point:
    """One design in the plane of two objectives; errors are standard errors of the mean over members."""

    record: TrialRecord
    x: float
    y: float
    x_error: float | None
    y_error: float | None
    kind: Kind
    role: str | None
    on_front: bool


@dataclass(frozen=True)
class FrontInfo:
    """What the figure of a front shows.

    Attributes:
        x: Horizontal axis; the number of the trial where there is only one objective.
        y: Vertical axis.
        points: One for each graph, with its best recipe.
        step: Corners of the boundary of what is attained in this plane, from left to right; only designs that keep all bounds.
        recommended: The design to take. Its recipe may be another than that of the same graph among the points.
    """

    x: Axis
    y: Axis
    points: tuple[Point, ...]
    step: tuple[tuple[float, float], ...]
    recommended: Point | None


def front_pairs(found: Findings) -> list[tuple[Objective, Objective]]:
    """Return the pairs (horizontal, vertical) of objectives to draw: costs lie on the horizontal axis, the main objective comes first."""
    ordered = sorted(found.objectives, key=lambda objective: (objective != found.main, objective.cost))
    return [(x, y) for y, x in itertools.combinations(ordered, 2)]


def front_info(found: Findings, x: str | None = None, y: str | None = None) -> FrontInfo:
    """Place every design in the plane of two objectives, by default the first pair.

    With one objective the horizontal axis is the number of the trial and the step line is the best value so far.
    """
    by_name = {objective.name: objective for objective in found.objectives}
    pairs = front_pairs(found)
    vertical = by_name[y] if y else pairs[0][1] if pairs else found.main
    horizontal = by_name[x] if x else pairs[0][0] if pairs else None
    points = tuple(_point(found, record, horizontal, vertical) for record in found.designs)
    allowed = [point for point in points if found.allowed(point.record)]
    recommended = _point(found, found.recommended, horizontal, vertical) if found.recommended is not None else None
    y_axis = axis_of(vertical, [point.y for point in points])
    if horizontal is None:
        return FrontInfo(Axis("trial", "", log=False), y_axis, points, _best_so_far(allowed, vertical), recommended)
    x_axis = axis_of(horizontal, [point.x for point in points])
    return FrontInfo(x_axis, y_axis, points, _attained(allowed, horizontal, vertical), recommended)


def _point(found: Findings, record: TrialRecord, x: Objective | None, y: Objective) -> Point:
    role = found.roles.get(record.digest)
    on_front = record.digest in found.front_digests
    return Point(
        record,
        x=float(record.number) if x is None else found.value(record, x.name),
        y=found.value(record, y.name),
        x_error=None if x is None else standard_error(record, x.name),
        y_error=standard_error(record, y.name),
        kind="reference" if record.digest in found.reference_digests else "front" if on_front else "design",
        role=role,
        on_front=on_front,
    )


def _attained(points: Sequence[Point], x: Objective, y: Objective) -> tuple[tuple[float, float], ...]:
    if not points:
        return ()
    keep = pareto.is_nondominated([(point.x, point.y) for point in points], [x.direction, y.direction])
    corners = sorted({(point.x, point.y) for point, kept in zip(points, keep, strict=True) if kept})
    step = [corners[0]]
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        # To the right of a design lies what it attains where less x is better; to its left where more is better.
        step += [(x1, y0) if x.direction == "minimize" else (x0, y1), (x1, y1)]
    xs = [point.x for point in points]
    edge = (max(xs), corners[-1][1]) if x.direction == "minimize" else (min(xs), corners[0][1])
    return (*step, edge) if x.direction == "minimize" else (edge, *step)


def _best_so_far(points: Sequence[Point], y: Objective) -> tuple[tuple[float, float], ...]:
    step: list[tuple[float, float]] = []
    for point in points:
        best = step[-1][1] if step else point.y
        better = max(best, point.y) if y.direction == "maximize" else min(best, point.y)
        step += [(point.x, best), (point.x, better)] if step else [(point.x, point.y)]
    return tuple(step)


def front_figure(run: Run | Findings | Path | str, x: str | None = None, y: str | None = None) -> go.Figure:
    """Draw the Pareto front of a run with plotly, for a notebook or the page.

    Args:
        run: A run, or its folder.
        x: Objective on the horizontal axis.
        y: Objective on the vertical axis.

    Returns:
        A figure. Each point carries the number of its trial as `customdata`.
    """
    import plotly.graph_objects as go

    found = run if isinstance(run, Findings) else read_findings(run)
    info = front_info(found, x, y)
    figure = go.Figure()
    _add_group(figure, info, [point for point in info.points if point.kind == "design"], name="other designs", symbol="circle", size=7)
    if info.step:
        xs, ys = zip(*info.step, strict=True)
        line = {"color": COLOURS["front"], "width": 1.5}
        figure.add_trace(go.Scatter(x=xs, y=ys, mode="lines", line=line, opacity=0.7, hoverinfo="skip", showlegend=False))
    _add_group(figure, info, [point for point in info.points if point.kind == "front"], name="on the front", symbol="circle", size=11)
    roles = dict.fromkeys(point.role for point in info.points if point.role)
    for role in roles:
        chosen = [point for point in info.points if point.kind == "reference" and point.role == role]
        name = role_label(role or "").removeprefix("the ")
        _add_group(figure, info, chosen, name=name, symbol=SYMBOLS.get(role or "", "hexagon"), size=12)
    others = [point for point in info.points if point.kind == "reference" and point.role is None]
    _add_group(figure, info, others, name="other references", symbol="diamond-open", size=8)
    if info.recommended is not None:
        ring = {"symbol": "circle-open-dot", "size": 22, "color": COLOURS["recommended"], "line": {"width": 2.5}}
        trial = [info.recommended.record.number]
        text = [_hover(info, info.recommended)]
        figure.add_trace(
            go.Scatter(
                x=[info.recommended.x],
                y=[info.recommended.y],
                mode="markers",
                marker=ring,
                customdata=trial,
                hovertext=text,
                hoverinfo="text",
                name="recommended",
            )
        )
    figure.update_layout(**_layout(info))
    return figure


def _add_group(figure: go.Figure, info: FrontInfo, points: Sequence[Point], *, name: str, symbol: str, size: int) -> None:
    import plotly.graph_objects as go

    if not points:
        return
    kind = points[0].kind
    marker = {
        "symbol": symbol,
        "size": size,
        "color": COLOURS[kind],
        "opacity": 0.45 if kind == "design" else 1.0,
        "line": {"width": [2 if point.on_front and kind == "reference" else 0 for point in points], "color": COLOURS["front"]},
    }
    figure.add_trace(
        go.Scatter(
            x=[point.x for point in points],
            y=[point.y for point in points],
            error_x=_errors([point.x_error for point in points], kind),
            error_y=_errors([point.y_error for point in points], kind),
            mode="markers",
            name=name,
            marker=marker,
            customdata=[point.record.number for point in points],
            hovertext=[_hover(info, point) for point in points],
            hoverinfo="text",
        )
    )


def _errors(errors: Sequence[float | None], kind: Kind) -> dict[str, Any] | None:
    if kind == "design" or not any(errors):
        return None
    return {"type": "data", "array": [error or 0.0 for error in errors], "thickness": 1.2, "width": 3, "color": COLOURS[kind]}


def _hover(info: FrontInfo, point: Point) -> str:
    title = sentence_case(role_label(point.role).removeprefix("the ")) if point.role else f"Trial {point.record.number}"
    lines = [f"<b>{escape(title)}</b>"]
    for axis, value, error in ((info.y, point.y, point.y_error), (info.x, point.x, point.x_error)):
        if axis.name != "trial":
            bar = f" ± {number(error)}" if error else ""
            lines.append(f"{escape(metric_label(axis.name))} {number(value)}{bar}")
    lines += [escape(line) for line in point.record.formula.splitlines()[1:4]]
    return "<br>".join(lines)


def _layout(info: FrontInfo) -> dict[str, Any]:
    def settings(axis: Axis) -> dict[str, Any]:
        low, high = _range(axis, info)
        return {
            "title": {"text": axis.title, "standoff": 12},
            "type": "log" if axis.log else "linear",
            "range": [low, high],
            "gridcolor": _GRID,
            "zeroline": False,
            "linecolor": _GRID,
            "tickformat": "~s" if axis.log or high >= 1000 else "",
            "automargin": True,
            "dtick": 1 if axis.log and high - low > 3 else None,
        }

    return {
        "template": "none",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif", "size": 13},
        "xaxis": settings(info.x),
        "yaxis": settings(info.y),
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
        "margin": {"l": 60, "r": 16, "t": 44, "b": 56},
        "hovermode": "closest",
        "height": 500,
    }


def _range(axis: Axis, info: FrontInfo) -> tuple[float, float]:
    """Return the range of an axis as plotly takes it (logarithms on a log axis), with room at both ends for markers and error bars."""
    horizontal = axis is info.x
    values = []
    for point in info.points:
        value, error = (point.x, point.x_error) if horizontal else (point.y, point.y_error)
        error = 0.0 if axis.log or point.kind == "design" else error or 0.0
        values += [axis.scaled(value - error), axis.scaled(value + error)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.05 * (high - low) if high > low else 0.1 * (abs(high) or 1.0)
    return low - room, high + room


def extent(axis: Axis, info: FrontInfo) -> tuple[float, float]:
    """Return the range of an axis in the units of the quantity."""
    low, high = _range(axis, info)
    return (math.pow(10, low), math.pow(10, high)) if axis.log else (low, high)
