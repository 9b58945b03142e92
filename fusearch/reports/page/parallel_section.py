"""The section of the page with every trial as a line over its choices."""

from __future__ import annotations

from fusearch.amounts import counted
from fusearch.reports.figures.parallel_plot import parallel_svg
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.parallel import parallels_of
from fusearch.reports.page import markup
from fusearch.reports.wording import metric_label

__all__ = ["parallel_section"]


def parallel_section(found: Findings) -> str:
    """Return the section `parallel`; empty where fewer than two trials have finished."""
    parallels = parallels_of(found)
    if not parallels.axes:
        return ""
    shown = counted(len(parallels.trials), "trial")
    if parallels.finished > len(parallels.trials):
        shown += f" of {parallels.finished:,}, spread evenly over the ranks"
    metric = metric_label(found.main.name)
    note = (
        f"A line is a trial, from its {metric} and its cost on the left over its choices ({shown}). Point at a line to see which it is, "
        "and click to see its design; with the keyboard, arrows go up to better and down to worse trials, and Enter opens one. In a level, "
        "better trials lie higher. What all trials share has no axis."
    )
    drawing = parallel_svg(parallels, standalone=False)
    body = f'<div class="card"><p class="told"><output id="strand"></output></p><div class="scroll short">{drawing}</div></div>'
    return f'<section id="parallel"><h2>Every trial by its choices</h2><p class="note">{markup.prose(note)}</p>{body}</section>'
