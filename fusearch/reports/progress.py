"""How the search went: hypervolume over trials, best so far, throughput, and who worked when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fusearch import pareto
from fusearch.reports.axes import axis_of
from fusearch.reports.findings import Findings
from fusearch.reports.plot_layout import GRID, plot_layout
from fusearch.study import TrialRecord

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Progress", "Throughput", "progress_figure", "progress_info", "throughput_info", "timeline_figure"]

_BLUE, _ORANGE, _GREY = "#2f6fdb", "#d9602b", "#8b95a5"


@dataclass(frozen=True)
class Progress:
    """Hypervolume after each finished trial.

    Attributes:
        trials: Number of each finished trial, in the order in which they finished.
        hypervolume: Share of the box from the reference point to the ideal point that is dominated, from 0 to 1.
        references: The same for the reference designs alone; None where there are none.
    """

    trials: tuple[int, ...]
    hypervolume: tuple[float, ...]
    references: float | None


@dataclass(frozen=True)
class Throughput:
    """What the search cost.

    Attributes:
        wall: Seconds from the first start to the last end.
        work: Seconds of all evaluations together.
        finished: Number of trials that were evaluated to the end.
        median: Median seconds of an evaluation.
    """

    wall: float | None
    work: float
    finished: int
    median: float | None

    @property
    def per_minute(self) -> float | None:
        return 60 * self.finished / self.wall if self.wall else None

    @property
    def parallel(self) -> float | None:
        """Evaluations that ran at the same time, on average."""
        return self.work / self.wall if self.wall else None


def progress_info(found: Findings) -> Progress:
    """Compute the hypervolume over trials.

    A cost on a logarithmic axis enters as its logarithm, so that the volume is the one that the figure of the front shows.
    The reference point is that of all finished trials (`pareto.reference_point`), the ideal point their best values.
    """
    import numpy as np

    records = sorted(found.complete, key=lambda record: (record.ended if record.ended is not None else math.inf, record.number))
    if not records:
        return Progress((), (), None)
    directions = [objective.direction for objective in found.objectives]
    axes = [axis_of(objective, [found.value(record, objective.name) for record in records]) for objective in found.objectives]

    def place(chosen: Sequence[TrialRecord]) -> Any:
        return np.array([[axis.scaled(found.value(record, axis.name)) for axis in axes] for record in chosen])

    points_NM = place(records)
    reference = pareto.reference_point(points_NM, directions)
    ideal = [objective.best(column) for objective, column in zip(found.objectives, points_NM.T.tolist(), strict=True)]
    box = math.prod(abs(best - worst) for best, worst in zip(ideal, reference, strict=True))
    curve = pareto.hypervolume_over_trials(points_NM, directions, reference=reference) / box
    alone = [record for record in records if record.digest in found.reference_digests]
    volume = pareto.hypervolume(place(alone), directions, reference=reference) / box if alone else None
    return Progress(tuple(record.number for record in records), tuple(curve.tolist()), volume)


def throughput_info(found: Findings) -> Throughput:
    """Add up the wall times."""
    done = [record for record in found.records if record.evaluated]
    seconds = sorted(record.seconds for record in done if record.seconds is not None)
    ends = [record.ended for record in found.records if record.ended is not None]
    starts = [record.started for record in found.records if record.started is not None]
    wall = max(ends) - min(starts) if ends and starts else None
    return Throughput(wall, sum(seconds), len(done), seconds[len(seconds) // 2] if seconds else None)


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
    for state, name, colour in groups:
        chosen = [record for record in found.records if record.state == state and record.started is not None and record.ended is not None]
        if not chosen:
            continue
        figure.add_trace(
            go.Bar(
                orientation="h",
                base=[record.started for record in chosen],
                x=[(record.ended or 0.0) - (record.started or 0.0) for record in chosen],
                y=[_worker(record) for record in chosen],
                marker={"color": colour, "opacity": 0.8, "line": {"width": 0.5, "color": GRID}},
                name=name,
                text=[f"trial {record.number}" for record in chosen],
                textposition="none",
                customdata=[record.digest for record in chosen],
                hovertemplate="%{text}: %{x:.1f} s<extra></extra>",
            )
        )
    workers = {_worker(record) for record in found.records}
    figure.update_layout(**plot_layout("Seconds since the first trial began", "", 130 + 34 * len(workers)), barmode="overlay", bargap=0.3)
    figure.update_yaxes(type="category", showgrid=False, ticksuffix="  ")
    return figure


def _worker(record: TrialRecord) -> str:
    worker = record.details.get("worker")
    return "worker" if worker is None else f"worker {worker}"
