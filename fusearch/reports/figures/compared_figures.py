"""Several runs, drawn: their fronts with what half of them attained, and hypervolume over trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusearch.reports.figures.plot_layout import plot_layout
from fusearch.reports.findings.compared import Compared
from fusearch.reports.wording import metric_label, sentence_case

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["fronts_figure", "hypervolumes_figure"]

#: Colours that are told apart also without seeing red and green (Okabe and Ito 2008).
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8b95a5")


def fronts_figure(found: Compared) -> go.Figure:
    """Draw the front of each run, and the line that half of the runs attained."""
    import plotly.graph_objects as go

    across, up = found.plane
    shape = "hv" if across.aim == "less" else "vh"
    figure = go.Figure()
    for index, run in enumerate(found.runs):
        points = sorted(run.front)
        figure.add_trace(
            go.Scatter(
                x=[point[0] for point in points],
                y=[point[1] for point in points],
                mode="lines+markers",
                line={"shape": shape, "width": 1.5, "color": COLOURS[index % len(COLOURS)]},
                name=run.name,
                hovertemplate=f"{run.name}: %{{x}}, %{{y:.3f}}<extra></extra>",
            )
        )
    half = found.attained.get(50)
    if half:
        points = sorted(half)
        figure.add_trace(
            go.Scatter(
                x=[point[0] for point in points],
                y=[point[1] for point in points],
                mode="lines",
                line={"shape": shape, "width": 4, "color": "rgba(128,138,152,.6)"},
                name="attained by half of the runs",
                hoverinfo="skip",
            )
        )
    figure.update_layout(**plot_layout(sentence_case(metric_label(across.name)), sentence_case(metric_label(up.name)), 440))
    if across.cost:
        figure.update_xaxes(type="log")
    return figure


def hypervolumes_figure(found: Compared) -> go.Figure:
    """Draw the hypervolume of each run over its trials."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for index, run in enumerate(found.runs):
        figure.add_trace(
            go.Scatter(
                x=list(range(1, len(run.curve) + 1)),
                y=list(run.curve),
                mode="lines",
                line={"shape": "hv", "width": 2, "color": COLOURS[index % len(COLOURS)]},
                name=run.name,
                hovertemplate=f"{run.name}, %{{x}} trials: %{{y:.3f}}<extra></extra>",
            )
        )
    figure.update_layout(**plot_layout("Finished trials", "Hypervolume (share of the box)", 320))
    figure.update_yaxes(rangemode="tozero")
    return figure
