"""The report as one HTML page that needs nothing else: styles, scripts, plotly.js and the facts are inside."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from string import Template
from typing import TYPE_CHECKING

from fusearch import pareto
from fusearch.reports.figures.drawing import draw, stylesheet
from fusearch.reports.figures.front_plot import front_figure
from fusearch.reports.figures.growth_plot import growth_of_figure, growth_stops
from fusearch.reports.figures.learning_figures import learning_figures
from fusearch.reports.figures.parallel_plot import parallel_stylesheet
from fusearch.reports.figures.predicted_figures import predicted_figures
from fusearch.reports.figures.progress_figures import progress_figure, timeline_figure
from fusearch.reports.figures.strategy_figures import strategy_figures
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.front import front_pairs
from fusearch.reports.findings.front_growth import FrontGrowth
from fusearch.reports.findings.verdict import Verdict
from fusearch.reports.page import markup, sections
from fusearch.reports.page.cards import trial_facts
from fusearch.reports.page.explained import explanation_section
from fusearch.reports.page.learning_section import learning_section
from fusearch.reports.page.levels_section import levels_section
from fusearch.reports.page.parallel_section import parallel_section
from fusearch.reports.page.predicted_section import predicted_section
from fusearch.reports.page.published_section import published_section
from fusearch.reports.page.strategy_section import strategy_section
from fusearch.reports.page.top import answer_rows, recommended_card
from fusearch.trials import point_of
from fusearch.version import __version__

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["MAX_DRAWINGS", "render_page"]

#: Designs beyond the front and the references that are drawn as well, best rank first; the others show their formula.
MAX_DRAWINGS = 100

_TITLES = {
    "data": "Data",
    "front": "Front",
    "predicted": "Predictions",
    "levels": "Groups of rows",
    "learning": "Learning",
    "strategy": "Strategy",
    "designs": "Designs",
    "published": "Published designs",
    "test": "Test split",
    "explained": "Modalities",
    "parallel": "Choices",
    "trials-section": "Trials",
    "progress": "Progress",
    "learned": "What the designs say",
    "failures": "Failures",
    "reproduce": "Reproduce",
    "glossary": "Words",
}


def render_page(found: Findings, verdict: Verdict) -> str:
    """Return the page as text."""
    from plotly.offline import get_plotlyjs

    shown = predicted_figures(found.predicted)
    parts = [
        sections.data_warnings(found),
        sections.front(found) if found.complete else "",
        predicted_section(found, list(shown)),
        levels_section(found),
        learning_section(found),
        strategy_section(found.strategy),
        sections.gallery(found),
        published_section(found),
        sections.confirmed(found),
        explanation_section(found.explanations),
        parallel_section(found),
        sections.trials(found) if found.records else "",
        sections.progress(found),
        sections.learned(found),
        sections.failures(found) if found.records else "",
        sections.reproduce(found),
        sections.glossary(),
    ]
    present = [(name, title) for name, title in _TITLES.items() if any(f'<section id="{name}"' in part for part in parts)]
    return Template(markup.asset("page.html")).substitute(
        version=escape(__version__),
        head=markup.head(f"{_name(found)}: fusearch report", markup.asset("page.css") + stylesheet() + parallel_stylesheet()),
        eyebrow=escape(f"Fusion search · {_name(found)}"),
        headline=escape(verdict.headline),
        answers=answer_rows(found, verdict),
        recommended=recommended_card(found, verdict.answers),
        notes="".join(f'<p class="lead">{markup.prose(note)}</p>' for note in (*verdict.notes, *found.data_notes)),
        facts=sections.facts(found),
        navigation="".join(f'<a href="#{name}">{escape(title)}</a>' for name, title in present),
        sections="\n".join(part for part in parts if part),
        trials=markup.embed(trial_facts(found)),
        drawings=_drawings(found) + _figures(found, shown),
        plotly=get_plotlyjs() if found.complete else "",
        js=markup.asset("page.js"),
    )


def _name(found: Findings) -> str:
    return found.folder.resolve().name if found.folder is not None else "run"


def _figures(found: Findings, predicted: Mapping[str, go.Figure]) -> str:
    if not found.complete:
        return ""
    pairs: list[tuple[str | None, str | None]] = [(x.name, y.name) for x, y in front_pairs(found)] or [(None, None)]
    figures: dict[str, go.Figure] = {f"front-{index}": _without_texts(front_figure(found, x, y)) for index, (x, y) in enumerate(pairs)}
    stops = _grown(found, figures) if front_pairs(found) else ""
    figures |= {"progress": progress_figure(found), "timeline": timeline_figure(found), **strategy_figures(found.strategy), **predicted}
    figures |= learning_figures(found.learned)
    return stops + "\n".join(
        f'<script type="application/json" id="figure-{name}">{markup.embed_figure(figure)}</script>' for name, figure in figures.items()
    )


def _grown(found: Findings, figures: Mapping[str, go.Figure]) -> str:
    """Put into the figure of each front how it grew, and return what is alike for all of them."""
    growth = FrontGrowth(found)
    pairs = front_pairs(found)
    for at, (x, y) in enumerate(pairs):
        figures[f"front-{at}"].update_layout(meta=growth_of_figure(growth, x, y))
    return f'<script type="application/json" id="growth">{markup.embed(growth_stops(growth, *pairs[0]))}</script>\n'


def _without_texts(figure: go.Figure) -> go.Figure:
    """Drop the texts that repeat a formula: the page's script takes them from the facts of the trials."""
    for trace in figure.data:
        if trace.hovertemplate and trace.hovertemplate.startswith("<b>Trial %{customdata}"):
            trace.hovertext = None
    return figure


def _drawings(found: Findings) -> str:
    """Drawings for the panel that no card of the gallery holds."""
    drawn = {record.digest for record in found.carded}
    rest = [record for record in found.designs if record.digest not in drawn and record.digest in found.graphs]
    if not rest:
        return ""
    directions = [objective.direction for objective in found.objectives]
    ranks = pareto.ranks([point_of(record, found.objectives) for record in rest], directions)
    order = sorted(range(len(rest)), key=lambda index: (int(ranks[index]), rest[index].number))[:MAX_DRAWINGS]
    chosen = [(rest[index].digest, found.graphs[rest[index].digest]) for index in order]
    return "\n".join(
        f'<template id="drawing-{escape(digest)}">{draw(graph, modalities=found.modalities, standalone=False)}</template>'
        for digest, graph in chosen
    )
