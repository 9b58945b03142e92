"""The Pareto front drawn with plotly."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusearch.reports.figures.plot_layout import GRID
from fusearch.reports.findings.axes import Axis
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.front import FrontInfo, Point, PointKind, TeamPlace, extent, front_info
from fusearch.reports.wording import deviation, metric_label, number, role_label, sentence_case

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from fusearch.run import Run

__all__ = ["front_figure"]

#: Plotly's name of the symbol of each role; a role of a plug-in takes the last.
SYMBOLS = {"best_unimodal": "diamond", "linear": "square", "early": "triangle-up", "late": "triangle-down", "penultimate": "pentagon"}
SYMBOLS["stacked"] = "cross"
COLOURS = {"design": "#8b95a5", "front": "#2f6fdb", "reference": "#d9602b", "recommended": "#1f9d76", "team": "#8a4fbf"}
#: As many decimals as the distance between two ticks asks for, at any zoom.
TICK_FORMATS = [{"dtickrange": [10.0**-n, 10.0 ** (1 - n) * 0.999], "value": f".{n}f"} for n in (1, 2, 3, 4)]


def front_figure(run: Run | Findings | Path | str, x: str | None = None, y: str | None = None) -> go.Figure:
    """Draw the Pareto front of a run with plotly, for a notebook or the page.

    Args:
        run: A run, or its folder.
        x: Objective on the horizontal axis.
        y: Objective on the vertical axis.

    Returns:
        A figure. Each point carries the number of its trial as `customdata`.

    Raises:
        RunError: There is no run.
        ObjectiveError: The run has no such objective.

    Example:
        >>> front_figure("runs/demo").layout.yaxis.title.text
        'AUROC  (more is better)'
    """
    import plotly.graph_objects as go

    found = run if isinstance(run, Findings) else read_findings(run)
    info = front_info(found, x, y)
    figure = go.Figure()
    _add_group(figure, info, [point for point in info.points if point.kind == "design"], name="other designs", symbol="circle", size=7)
    if info.step:
        xs, ys = zip(*info.step, strict=True)
        line = {"color": COLOURS["front"], "width": 1.5}
        figure.add_trace(go.Scatter(x=xs, y=ys, mode="lines", line=line, opacity=0.7, hoverinfo="skip", showlegend=False, meta="step"))
    _add_group(figure, info, [point for point in info.points if point.kind == "front"], name="on the front", symbol="circle", size=11)
    roles = dict.fromkeys(point.role for point in info.points if point.role)
    for role in roles:
        chosen = [point for point in info.points if point.kind == "reference" and point.role == role]
        name = role_label(role or "").removeprefix("the ")
        _add_group(figure, info, chosen, name=name, symbol=SYMBOLS.get(role or "", "hexagon"), size=12)
    others = [point for point in info.points if point.kind == "reference" and point.role is None]
    _add_group(figure, info, others, name="other references", symbol="diamond-open", size=8)
    _add_teams(figure, info)
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
    _add_published(figure, info)
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
            x=[_short(point.x) for point in points],
            y=[_short(point.y) for point in points],
            error_x=_errors([point.x_error for point in points], kind),
            error_y=_errors([point.y_error for point in points], kind),
            mode="markers",
            name=name,
            marker=marker,
            customdata=[point.record.number for point in points],
            hovertext=["<br>".join(map(escape, point.record.formula.splitlines())) for point in points]
            if kind == "design"
            else [_hover(info, point) for point in points],
            # What many points share is a template; of these the page drops the texts and takes the formulas from where it has them.
            hovertemplate=_template(info) if kind == "design" else "%{hovertext}<extra></extra>",
        )
    )


def _add_teams(figure: go.Figure, info: FrontInfo) -> None:
    """Add the second line: what a few designs together attain for their summed cost."""
    import plotly.graph_objects as go

    if not info.teams:
        return
    xs, ys = zip(*info.team_step, strict=True)
    line = {"color": COLOURS["team"], "width": 1.5, "dash": "dot"}
    figure.add_trace(go.Scatter(x=xs, y=ys, mode="lines", line=line, opacity=0.8, hoverinfo="skip", showlegend=False))
    figure.add_trace(
        go.Scatter(
            x=[_short(each.x) for each in info.teams],
            y=[_short(each.y) for each in info.teams],
            mode="markers",
            marker={"symbol": "star", "size": 10, "color": COLOURS["team"]},
            name="teams",
            hovertext=[_team_hover(info, each) for each in info.teams],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )


def _team_hover(info: FrontInfo, place: TeamPlace) -> str:
    lines = [
        f"<b>Team: the mean of trials {', '.join(map(str, place.team.trials))}</b>",
        f"{escape(metric_label(info.y.name))} {number(place.y)} as the search saw it",
        *(f"{escape(metric_label(name))} {number(value)} in all" for name, value in place.team.cost.items()),
        "Chosen on these rows, so it looks better than it is:",
        "the answer on teams tells a score after selection.",
    ]
    return "<br>".join(lines)


def _short(value: float) -> float:
    return float(f"{value:.7g}")


def _template(info: FrontInfo) -> str:
    lines = ["<b>Trial %{customdata}</b>"]
    for place, axis in (("y", info.y), ("x", info.x)):
        if axis.name != "trial":
            large = axis.log or extent(axis, info)[1] >= 1000
            lines.append(f"{escape(metric_label(axis.name))} %{{{place}:{'.3~s' if large else '.3f'}}}")
    return "<br>".join([*lines, "%{hovertext}"]) + "<extra></extra>"


def _errors(errors: Sequence[float | None], kind: PointKind) -> dict[str, Any] | None:
    if kind == "design" or not any(errors):
        return None
    return {"type": "data", "array": [error or 0.0 for error in errors], "thickness": 1.2, "width": 3, "color": COLOURS[kind]}


def _hover(info: FrontInfo, point: Point) -> str:
    title = sentence_case(role_label(point.role).removeprefix("the ")) if point.role else f"Trial {point.record.number}"
    lines = [f"<b>{escape(title)}</b>"]
    for axis, value in ((info.y, point.y), (info.x, point.x)):
        if axis.name != "trial":
            spread = point.record.spread.get(axis.name)
            about = f" ± {deviation(value, spread)}" if spread else ""
            lines.append(f"{escape(metric_label(axis.name))} {number(value)}{about}")
    lines += [escape(line) for line in point.record.formula.splitlines()]
    return "<br>".join(lines)


def _add_published(figure: go.Figure, info: FrontInfo) -> None:
    """Name the points of published designs."""
    import plotly.graph_objects as go

    points = [point for point in info.points if point.study]
    if points:
        figure.add_trace(
            go.Scatter(
                x=[_short(point.x) for point in points],
                y=[_short(point.y) for point in points],
                mode="markers+text",
                marker={"symbol": "square-open", "size": 15, "color": "#0f8b8d", "line": {"width": 1.4}},
                text=[escape(point.study or "") for point in points],
                textposition="top center",
                textfont={"size": 10},
                hoverinfo="skip",
                name="published designs",
            )
        )


def _layout(info: FrontInfo) -> dict[str, Any]:
    def settings(axis: Axis) -> dict[str, Any]:
        low, high = extent(axis, info)
        return {
            "title": {"text": axis.title, "standoff": 12, "font": {"size": 13}},
            "type": "log" if axis.log else "linear",
            "range": [low, high],
            "gridcolor": GRID,
            "zeroline": False,
            "linecolor": GRID,
            "tickformat": "~s" if axis.log or high >= 1000 else "",
            "tickformatstops": [] if axis.log or high >= 1000 else TICK_FORMATS,
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
