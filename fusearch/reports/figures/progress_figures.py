"""How the search went, drawn: hypervolume over trials, and who worked when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusearch.reports.figures.plot_layout import GRID, plot_layout
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.search_course import progress_info
from fusearch.study import TrialRecord

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["progress_figure", "timeline_figure"]

_BLUE, _ORANGE, _GREY = "#2f6fdb", "#d9602b", "#8b95a5"


def progress_figure(found: Findings) -> go.Figure:
    """Draw the hypervolume over trials, with that of the references alone as a dashed line."""
    import plotly.graph_objects as go

    info = progress_info(found)
    figure = go.Figure()
    count = list(range(1, len(info.trials) + 1))
    figure.add_trace(
        go.Scatter(
            x=count,
            y=list(info.hypervolume),
            mode="lines",
            line={"shape": "hv", "color": _BLUE, "width": 2},
            name="all designs",
            text=[f"trial {number}" for number in info.trials],
            hovertemplate="%{text}: %{y:.3f}<extra></extra>",
        )
    )
    if info.references is not None and count:
        figure.add_trace(
            go.Scatter(
                x=[count[0], count[-1]],
                y=[info.references] * 2,
                mode="lines",
                line={"dash": "dash", "color": _ORANGE, "width": 1.6},
                name="references alone",
                hovertemplate="references alone: %{y:.3f}<extra></extra>",
            )
        )
    figure.update_layout(**plot_layout("Finished trials", "Hypervolume (share of the box)", 320))
    figure.update_yaxes(rangemode="tozero")
    return figure


def timeline_figure(found: Findings) -> go.Figure:
    """Draw when each trial ran, a row for each worker; trials whose worker is not known share a row."""
    import plotly.graph_objects as go

    figure = go.Figure()
    groups = (("complete", "finished", _BLUE), ("pruned", "stopped or not trained", _GREY), ("failed", "failed", _ORANGE))
    several = len({record.details.get("host") for record in found.records if record.details.get("worker") is not None}) > 1
    for state, name, colour in groups:
        chosen = [record for record in found.records if record.state == state and record.started is not None and record.ended is not None]
        if not chosen:
            continue
        figure.add_trace(
            go.Bar(
                orientation="h",
                base=[record.started for record in chosen],
                x=[(record.ended or 0.0) - (record.started or 0.0) for record in chosen],
                y=[_worker(record, several=several) for record in chosen],
                marker={"color": colour, "opacity": 0.8, "line": {"width": 0.5, "color": GRID}},
                name=name,
                text=[f"trial {record.number}" for record in chosen],
                textposition="none",
                customdata=[record.digest for record in chosen],
                hovertemplate="%{text}: %{x:.1f} s<extra></extra>",
            )
        )
    workers = {_worker(record, several=several) for record in found.records}
    figure.update_layout(**plot_layout("Seconds since the first trial began", "", 130 + 34 * len(workers)), barmode="overlay", bargap=0.3)
    figure.update_yaxes(type="category", showgrid=False, ticksuffix="  ")
    return figure


def _worker(record: TrialRecord, *, several: bool) -> str:
    """Name the worker of a trial; where there were several machines, with that."""
    worker, host = record.details.get("worker"), record.details.get("host")
    return "worker" if worker is None else f"worker {worker}{f' on {host}' if several and host else ''}"
