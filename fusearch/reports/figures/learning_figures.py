"""How designs learned, drawn: the losses of every member over the epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusearch.reports.figures.plot_layout import plot_layout
from fusearch.reports.findings.learning import Learned, LearningPhase, MemberLosses

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["learning_figures"]

#: Of the recommended design, and of those beside it.
_PICK, _OTHER = "#1f9d76", "#d9602b"
_GREY = "#8b95a5"


def learning_figures(learned: Learned) -> dict[str, go.Figure]:
    """Return a figure for each phase of each design: `learning-DESIGN-PHASE`, counted from 0."""
    return {
        f"learning-{place}-{at}": _phase(phase, _PICK if place == 0 and learned.reason is None else _OTHER)
        for place, phases in enumerate(learned.designs)
        for at, phase in enumerate(phases)
    }


def _phase(phase: LearningPhase, colour: str) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    faint = 0.9 if len(phase.members) <= 5 else 0.5
    for at, member in enumerate(phase.members):
        thin = {"color": _GREY, "width": 1, "dash": "dot"}
        figure.add_trace(_line(member, member.training, "training", thin, shown=at == 0, opacity=faint))
    for at, member in enumerate(phase.members):
        if member.validation:
            figure.add_trace(_line(member, member.validation, "validation", {"color": colour, "width": 1.6}, shown=at == 0, opacity=faint))
    best = [member for member in phase.members if member.best is not None]
    if best:
        figure.add_trace(
            go.Scatter(
                x=[member.best for member in best],
                y=[member.best_loss for member in best],
                mode="markers",
                marker={"size": 8, "color": colour, "line": {"width": 1.5, "color": "#fff"}},
                name="best epoch",
                text=[_named(member) for member in best],
                hovertemplate="%{text}: best in epoch %{x}, loss %{y:.4g}<extra></extra>",
            )
        )
    figure.update_layout(**plot_layout("Epoch", "Loss", 320))
    return figure


def _line(
    member: MemberLosses, losses: tuple[float, ...], name: str, line: dict[str, object], *, shown: bool, opacity: float
) -> go.Scatter:
    import plotly.graph_objects as go

    hover = f"{_named(member)}, epoch %{{x}}: {name} loss %{{y:.4g}}<extra></extra>"
    return go.Scatter(
        x=member.epochs,
        y=losses,
        mode="lines" if len(losses) > 1 else "markers",
        line=line,
        marker={"size": 5, "color": line["color"]},
        opacity=opacity,
        name=name,
        legendgroup=name,
        showlegend=shown,
        hovertemplate=hover,
    )


def _named(member: MemberLosses) -> str:
    return f"fold {member.fold}, seed {member.seed}"
