"""The section of the page that shows what a strategy decided."""

from __future__ import annotations

from html import escape

from fusearch.reports.figures.strategy_figures import stages_label, strategy_figures
from fusearch.reports.findings.decided import Told, strategy_sentences
from fusearch.reports.page import markup
from fusearch.reports.page.markup import Cell
from fusearch.reports.wording import number

__all__ = ["strategy_section"]


def strategy_section(told: Told | None) -> str:
    """Return the section `strategy`; empty for a run without one, or one that has not decided."""
    if told is None:
        return ""
    name = next(iter(strategy_figures(told)), None)
    figure = "" if name is None else f'<div class="card">{markup.figure(f"figure-{name}", "What the strategy compared")}</div>'
    sentences = "".join(f"<p>{markup.prose(sentence)}</p>" for sentence in strategy_sentences(told))
    table = f'<div class="scroll short">{_table(told)}</div>'
    title = f"<h2>What the strategy decided: {escape(told.name)}</h2>"
    return f'<section id="strategy">{title}{sentences}<div class="split">{figure}{table}</div></section>'


def _table(told: Told) -> str:
    if "networks" in told.record:
        columns = [("Network", False), ("Modality", False), ("Accuracy", True), ("Taken", False), ("Digest", False)]
        rows = [
            [
                Cell(network["name"]),
                Cell(network["modality"]),
                Cell(number(network["accuracy"]), network["accuracy"], kind="number"),
                Cell("yes" if network["taken"] else "failed" if network["reason"] else ""),
                Cell("", markup=f'<code class="digest">{escape(network["digest"])}</code>'),
            ]
            for network in sorted(told.record["networks"], key=lambda network: -(network["accuracy"] or 0.0))
        ]
        return markup.table(columns, rows)
    columns = [("Step", True), ("Fusions on", False), ("Loss", True), ("Kept", False), ("Digest", False)]
    rows = [
        [
            Cell(str(step), float(step), kind="number"),
            Cell(stages_label(entry["on"]) + (", trained on" if entry is each.get("control") else "")),
            Cell(number(entry["loss"]) if entry["loss"] is not None else "failed", entry["loss"], kind="number"),
            Cell("yes" if entry["on"] == each["kept"] else ""),
            Cell("", markup=f'<code class="digest">{escape(entry["digest"])}</code>'),
        ]
        for step, each in enumerate(told.record.get("path", ()), start=1)
        for entry in (*each["tried"], *filter(None, [each.get("control")]))
    ]
    return markup.table(columns, rows)
