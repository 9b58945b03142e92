"""What a strategy decided, drawn: the cloud of all subsets, or the path of fusions switched on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fusearch.reports.figures.plot_layout import plot_layout
from fusearch.reports.findings.decided import Cloud, Told, cloud_info, diversity_label

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["cloud_figure", "path_figure", "stages_label", "strategy_figures"]

_BLUE, _ORANGE, _GREEN, _GREY = "#2f6fdb", "#d9602b", "#1f9d76", "#8b95a5"


def strategy_figures(told: Told | None) -> dict[str, go.Figure]:
    """Return the figure of the section by the name under which the page embeds it."""
    if told is None:
        return {}
    cloud = cloud_info(told)
    if cloud is not None:
        return {"strategy-cloud": cloud_figure(cloud, diversity_label(told))}
    return {"strategy-path": path_figure(told)} if "path" in told.record else {}


def cloud_figure(cloud: Cloud, diversity: str) -> go.Figure:
    """Draw every subset in the plane of both objectives, the front among them, and the chosen one."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[_short(x) for x, _ in cloud.points],
            y=[_short(y) for _, y in cloud.points],
            mode="markers",
            marker={"size": 4, "color": _GREY, "opacity": 0.35},
            name=f"{cloud.total:,} subsets",
            hoverinfo="skip",
        )
    )
    figure.add_trace(_named([*cloud.front], "front", {"size": 8, "color": _BLUE}))
    figure.add_trace(_named([cloud.chosen], "chosen", {"size": 15, "color": _GREEN, "symbol": "star"}))
    figure.update_layout(**plot_layout(diversity, "Accuracy of the majority vote", 400))
    return figure


def path_figure(told: Told) -> go.Figure:
    """Draw the validation loss of each design that was tried, step by step, and the path of those kept."""
    import plotly.graph_objects as go

    record, figure = told.record, go.Figure()
    tried = [(step, entry) for step, each in enumerate(record["path"], start=1) for entry in each["tried"] if entry["loss"] is not None]
    figure.add_trace(
        go.Scatter(
            x=[step for step, _ in tried],
            y=[entry["loss"] for _, entry in tried],
            mode="markers",
            marker={"size": 8, "color": _GREY},
            name="tried",
            text=[stages_label(entry["on"]) for _, entry in tried],
            hovertemplate="%{text}: %{y:.4f}<extra></extra>",
        )
    )
    steps = [(step, each.get("control", {})) for step, each in enumerate(record["path"], start=1)]
    controls = [(step, control) for step, control in steps if control.get("loss") is not None]
    if controls:
        figure.add_trace(
            go.Scatter(
                x=[step for step, _ in controls],
                y=[entry["loss"] for _, entry in controls],
                mode="markers",
                marker={"size": 9, "color": _ORANGE, "symbol": "x"},
                name="no fusion added, trained on",
                text=[stages_label(entry["on"]) for _, entry in controls],
                hovertemplate="%{text}, trained on: %{y:.4f}<extra></extra>",
            )
        )
    kept: list[tuple[int, float, list[int]]] = [(0, record["comparisons"]["none"]["loss"], [])]
    for step, each in enumerate(record["path"], start=1):
        kept += [(step, entry["loss"], entry["on"]) for entry in each["tried"] if each["kept"] is not None and entry["on"] == each["kept"]]
    figure.add_trace(
        go.Scatter(
            x=[step for step, _, _ in kept],
            y=[loss for _, loss, _ in kept],
            mode="lines+markers",
            line={"color": _BLUE, "width": 2},
            marker={"size": 10},
            name="kept",
            text=[stages_label(on) for _, _, on in kept],
            hovertemplate="%{text}: %{y:.4f}<extra></extra>",
        )
    )
    last = max(len(record["path"]), 1)
    for role, dash in (("all", "dash"), ("late", "dot")):
        loss = record["comparisons"].get(role, {}).get("loss")
        if loss is not None:
            label = "all on" if role == "all" else "late mean"
            line = {"color": _ORANGE, "dash": dash, "width": 1.6}
            figure.add_trace(go.Scatter(x=[0, last], y=[loss] * 2, mode="lines", line=line, name=label, hoverinfo="skip"))
    figure.update_layout(**plot_layout("Step", "Validation loss", 400))
    figure.update_xaxes(dtick=1)
    return figure


def _named(entries: Sequence[tuple[float, float, str]], name: str, marker: dict[str, Any]) -> go.Scatter:
    import plotly.graph_objects as go

    return go.Scatter(
        x=[_short(x) for x, _, _ in entries],
        y=[_short(y) for _, y, _ in entries],
        mode="markers",
        marker=marker,
        name=name,
        text=[names for _, _, names in entries],
        hovertemplate="%{text}<br>accuracy %{y:.3f}, diversity %{x:.3f}<extra></extra>",
    )


def stages_label(on: Sequence[int]) -> str:
    """Say at which stages fusions are on."""
    return f"stage {', '.join(map(str, on))}" if on else "none"


def _short(value: float) -> float:
    return float(f"{value:.5g}")
