"""Several runs on one page: `fusearch compare`."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from statistics import fmean, stdev
from string import Template
from typing import TYPE_CHECKING

from fusearch.amounts import counted
from fusearch.errors import RunError
from fusearch.inference import Step
from fusearch.layout import replace_file
from fusearch.reports.figures.compared_figures import fronts_figure, hypervolumes_figure
from fusearch.reports.findings.compared import Compared, ComparedRun, read_compared
from fusearch.reports.page import markup
from fusearch.reports.page.markup import Cell
from fusearch.reports.wording import deviation, interval_text, metric_label, number, sentence_case, signed_number
from fusearch.version import __version__

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["compare_runs", "comparison_rows", "comparison_sentences", "render_comparison"]


def compare_runs(runs: Compared | Sequence[Path | str], out: Path | str) -> Path:
    """Write a page that sets several runs side by side: fronts, attainment, hypervolumes, answers.

    Args:
        runs: Their folders, two or more, with the same objectives, such as one search with several seeds; or what was read of them.
        out: The HTML file to write.

    Returns:
        Its path.

    Raises:
        RunError: The runs cannot be compared, or the file cannot be written.
    """
    page = Path(out)
    text = render_comparison(runs if isinstance(runs, Compared) else read_compared(runs))
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        replace_file(page, text)
    except OSError as error:
        raise RunError(f"cannot write {str(page)!r}: {error.strerror or error}") from None
    return page


def comparison_sentences(found: Compared) -> list[str]:
    """Say what the runs have in common, and by how much they differ."""
    metric = metric_label(found.plane[-1].name)
    best, volumes = [run.best for run in found.runs], [run.hypervolume for run in found.runs]
    spread = [f"{number(fmean(each))} ± {deviation(fmean(each), stdev(each))}" for each in (best, volumes)]
    over = "(standard deviation over the runs; all under one reference point)"
    sentences = [f"Best {metric} {spread[0]}, hypervolume {spread[1]} {over}."]
    for name, what in (("fusion", "Fusion"), ("search", "Searching")):
        outcomes = [getattr(run.answers, name).outcome for run in found.runs]
        unknown = outcomes.count("not estimable")
        told = f" ({'none' if unknown == len(outcomes) else f'{unknown} of them not'} estimable)" if unknown else ""
        sentences.append(f"{what} is a gain in {outcomes.count('gain')} of {counted(len(found.runs), 'run')}{told}.")
    return sentences


def comparison_rows(found: Compared) -> list[dict[str, object]]:
    """Return a row for each run, as the terminal and the page show it."""
    metric = metric_label(found.plane[-1].name)
    return [
        {
            "run": run.name,
            "state": run.state,
            "trials": run.trials,
            f"best {metric}": run.best,
            "pick, after selection": run.answers.pick.score,
            "hypervolume": run.hypervolume,
            "fusion": run.answers.fusion.outcome,
            "search": run.answers.search.outcome,
        }
        for run in found.runs
    ]


def render_comparison(found: Compared) -> str:
    """Return the page as text."""
    from plotly.offline import get_plotlyjs

    figures: dict[str, go.Figure] = {"fronts": fronts_figure(found)} if len(found.plane) > 1 else {}
    figures["hypervolumes"] = hypervolumes_figure(found)
    titles = {"fronts": "Fronts", "hypervolumes": "Hypervolume over trials"}
    drawn = {
        name: f'<div class="figure" id="{name}" role="img" aria-label="{titles[name]}" style="height:{figure.layout.height}px"></div>'
        for name, figure in figures.items()
    }
    sections = "".join(f'<section><h2>{titles[name]}</h2><div class="card">{drawn[name]}</div></section>' for name in figures)
    data = "".join(
        f'<script type="application/json" data-figure="{name}">{markup.embed_figure(figure)}</script>' for name, figure in figures.items()
    )
    title = f"{counted(len(found.runs), 'run')} compared"
    return Template(markup.asset("comparison.html")).substitute(
        version=escape(__version__),
        head=markup.head(f"{title}: fusearch", markup.asset("page.css")),
        title=escape(title),
        sentences="".join(f'<p class="lead">{escape(sentence)}</p>' for sentence in comparison_sentences(found)),
        warnings="".join(f'<p class="note">Warning: {escape(warning)}.</p>' for warning in found.warnings),
        table=_table(found),
        sections=sections,
        figures=data,
        plotly=get_plotlyjs(),
    )


def _table(found: Compared) -> str:
    metric = sentence_case(metric_label(found.plane[-1].name))
    columns = [("Run", False), ("State", False), ("Trials", True), (f"Best {metric}", True), ("Pick, after selection", True)]
    columns += [("Hypervolume", True), ("Fusion", False), ("Searching", False)]
    rows = [
        [
            Cell(run.name),
            Cell(run.state),
            Cell(f"{run.trials:,}", float(run.trials), kind="number"),
            Cell(number(run.best), run.best, kind="number"),
            Cell(*_after_selection(run), kind="number"),
            Cell(number(run.hypervolume), run.hypervolume, kind="number"),
            Cell(_answer(run.answers.fusion)),
            Cell(_answer(run.answers.search)),
        ]
        for run in found.runs
    ]
    return f'<div class="scroll short">{markup.table(columns, rows)}</div>'


def _after_selection(run: ComparedRun) -> tuple[str, float | None]:
    return number(run.answers.pick.score), run.answers.pick.score


def _answer(step: Step) -> str:
    if step.difference is None or step.interval is None:
        return step.outcome
    return f"{step.outcome}: {signed_number(step.difference)} ({interval_text(step.interval, signed=True)})"
