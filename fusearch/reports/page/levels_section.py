"""The section of the page on how good the recommended design is for each level of a column, such as the sexes or the sites."""

from __future__ import annotations

from html import escape

from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.level_scores import NOTE, ColumnScores, LevelScores, level_cells, level_note
from fusearch.reports.page import markup
from fusearch.reports.page.markup import Cell
from fusearch.reports.wording import metric_label, sentence_case

__all__ = ["levels_section"]


def levels_section(found: Findings) -> str:
    """Return the section `levels`; empty where no column was asked for."""
    if not found.level_scores:
        return ""
    metric = sentence_case(metric_label(found.main.name))
    cards = "".join(_card(at, told) for at, told in enumerate(found.level_scores))
    return f'<section id="levels"><h2>{escape(metric)} of groups of rows</h2><p class="note">{markup.prose(NOTE)}</p>{cards}</section>'


def _card(at: int, told: ColumnScores) -> str:
    note = f'<p class="note">{markup.prose(level_note(told))}</p>' if level_note(told) else ""
    title = f"<h3>By {escape(told.column)}</h3>"
    if told.reason is not None:
        return f'<div class="card levels">{title}{note}</div>'
    designs = [(sentence_case(name), False) for name in told.designs]
    columns = [(told.column, False), ("Rows", True), *designs, *([("Difference", False)] if len(told.designs) > 1 else [])]
    table = markup.table(columns, [_row(told, level) for level in told.levels])
    names = markup.folded(f"levels-{at}", [name for name, _ in columns])
    return f'<div class="card levels">{title}{names}<div class="scroll short" id="levels-{at}">{table}</div>{note}</div>'


def _row(told: ColumnScores, level: LevelScores) -> list[Cell]:
    name, rows, *scores = level_cells(told, level)
    return [Cell(name), Cell(rows, kind="number"), *map(Cell, scores)]
