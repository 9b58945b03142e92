"""What designs predict, drawn: receiver operating characteristic, precision and recall, calibration, predictions against truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fusearch.inference.risk_groups import RiskGroups
from fusearch.reports.figures.plot_layout import plot_layout
from fusearch.reports.findings.predicted import Curve, DesignPredictions, Predicted

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["predicted_figures"]

#: (line, band) of the recommended design, and of the one beside it.
_COLOURS = (("#1f9d76", "rgba(31,157,118,.16)"), ("#d9602b", "rgba(217,96,43,.14)"))
_GREY = "#8b95a5"
#: (line, band) of groups of low, middle and high risk.
_RISKS = (_COLOURS[0], ("#4c78c9", "rgba(76,120,201,.14)"), _COLOURS[1])


def predicted_figures(predicted: Predicted) -> dict[str, go.Figure]:
    """Return the figures by the names under which the page embeds them; only those that there are numbers for.

    Of several tasks the name of each stands behind: `roc-died`.
    """
    if predicted.tasks:
        return {f"{name}-{task}": figure for task, own in predicted.tasks.items() for name, figure in predicted_figures(own).items()}
    figures = {}
    if any(design.roc for design in predicted.designs):
        figures["roc"] = _curves(predicted.designs, lambda design: design.roc, "1 − specificity", "Sensitivity", diagonal=True)
    if any(design.precision_recall for design in predicted.designs):
        figures["precision-recall"] = _curves(
            predicted.designs, lambda design: design.precision_recall, "Sensitivity (recall)", "Precision", diagonal=False
        )
    if any(design.calibration for design in predicted.designs):
        figures["calibration"] = _calibration(predicted)
    if any(design.points for design in predicted.designs):
        figures["truth"] = _truth(predicted.designs)
    if predicted.designs and predicted.designs[0].risk is not None:
        figures["kaplan-meier"] = _kaplan_meier(predicted.designs[0].risk)
    return figures


def _curves(
    designs: Sequence[DesignPredictions], of: Callable[[DesignPredictions], Curve | None], x: str, y: str, *, diagonal: bool
) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    if diagonal:
        figure.add_trace(_line([0, 1], [0, 1], "guess"))
    for design, (line, band) in zip(designs, _COLOURS, strict=False):
        curve = of(design)
        if curve is None:
            continue
        around = {"x": [*curve.x, *reversed(curve.x)], "y": [*curve.high, *reversed(curve.low)]}
        figure.add_trace(
            go.Scatter(**around, fill="toself", fillcolor=band, line={"width": 0}, mode="lines", hoverinfo="skip", showlegend=False)
        )
        name, hover = design.label, f"{x} %{{x:.2f}}, {y.lower()} %{{y:.3f}}<extra></extra>"
        figure.add_trace(go.Scatter(x=curve.x, y=curve.y, mode="lines", line={"color": line, "width": 2}, name=name, hovertemplate=hover))
    figure.update_layout(**plot_layout(x, y, 340))
    figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_yaxes(range=[-0.02, 1.02])
    return figure


def _calibration(predicted: Predicted) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure(_line([0, 1], [0, 1], "as often as said"))
    for design, (line, _) in zip(predicted.designs, _COLOURS, strict=False):
        bins = design.calibration
        figure.add_trace(
            go.Scatter(
                x=[each.predicted for each in bins],
                y=[each.observed for each in bins],
                error_y={
                    "type": "data",
                    "array": [each.high - each.observed for each in bins],
                    "arrayminus": [each.observed - each.low for each in bins],
                    "thickness": 1.2,
                    "width": 3,
                    "color": line,
                },
                mode="lines+markers",
                line={"color": line, "width": 1.6},
                marker={"size": 7},
                name=design.label,
                text=[f"{each.rows} rows" for each in bins],
                hovertemplate="said %{x:.2f}, came true %{y:.2f} (%{text})<extra></extra>",
            )
        )
    figure.update_layout(**plot_layout(predicted.said, "Share that came true", 340))
    figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_yaxes(range=[-0.02, 1.02])
    return figure


def _truth(designs: Sequence[DesignPredictions]) -> go.Figure:
    import plotly.graph_objects as go

    values = [value for design in designs for point in design.points for value in point]
    ends = [min(values), max(values)]
    figure = go.Figure(_line(ends, ends, "as it is"))
    for number, design in reversed([*enumerate(designs)]):  # the recommended design in front
        figure.add_trace(
            go.Scatter(
                x=[truth for truth, _ in design.points],
                y=[said for _, said in design.points],
                mode="markers",
                marker={"size": 6, "color": _COLOURS[number][0], "opacity": 0.6},
                name=design.label,
                hovertemplate="truth %{x:.4g}, predicted %{y:.4g}<extra></extra>",
            )
        )
    figure.update_layout(**plot_layout("Truth", "Predicted", 400))
    return figure


def _kaplan_meier(risk: RiskGroups) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    colours = _RISKS if len(risk.groups) == len(_RISKS) else _COLOURS
    for group, (line, band) in zip(risk.groups, colours, strict=False):
        steps = {"mode": "lines", "hoverinfo": "skip", "showlegend": False, "line": {"width": 0, "shape": "hv"}}
        figure.add_trace(go.Scatter(x=group.x, y=group.low, **steps))
        figure.add_trace(go.Scatter(x=group.x, y=group.high, fill="tonexty", fillcolor=band, **steps))
        name, hover = (
            f"{group.name} ({group.events} of {group.rows} rows)",
            f"{risk.time} %{{x:.4g}}, without event %{{y:.3f}}<extra></extra>",
        )
        look = {"color": line, "width": 2, "shape": "hv"}
        figure.add_trace(go.Scatter(x=group.x, y=group.y, mode="lines", line=look, name=name, hovertemplate=hover))
    figure.update_layout(**plot_layout(risk.time, "Share without event", 400))
    figure.update_yaxes(range=[-0.02, 1.02])
    return figure


def _line(x: Sequence[float], y: Sequence[float], name: str) -> go.Scatter:
    import plotly.graph_objects as go

    return go.Scatter(x=x, y=y, mode="lines", line={"dash": "dash", "color": _GREY, "width": 1.4}, name=name, hoverinfo="skip")
