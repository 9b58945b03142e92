"""The section of the page on what the recommended design predicts, beside the best simple one."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from fusearch.amounts import counted
from fusearch.inference.risk_groups import RiskGroups
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.predicted import DesignPredictions, Predicted, risk_sentence
from fusearch.reports.findings.taken_classes import decision_sentence
from fusearch.reports.page import markup
from fusearch.reports.page.markup import Cell
from fusearch.reports.page.masks_section import mask_cards
from fusearch.reports.wording import number, sentence_case

__all__ = ["predicted_section"]

_ABOUT = {
    "roc": "Receiver operating characteristic: sensitivity over 1 − specificity",
    "precision-recall": "Precision over sensitivity",
    "calibration": "How often predicted probabilities came true",
    "truth": "Predictions against truth",
    "kaplan-meier": "Survival by predicted risk (Kaplan-Meier), the recommended design",
}
_NOTE = (
    "Of {rows} that the training of a fold did not see. Bands and bars are 90 % over draws of the rows{folds}. Both designs were chosen "
    "with the help of these rows, so they look a little better than they are; the score after selection stands at the top."
)
_OF_MASKS = (
    "Of {rows} that the training of a fold did not see. Both designs were chosen with the help of these rows, so they look a little better "
    "than they are; the score after selection stands at the top."
)


def predicted_section(found: Findings, figures: Sequence[str]) -> str:
    """Return the section `predicted`; empty where no trial has finished.

    Args:
        found: The findings.
        figures: Names of the figures that the page embeds.
    """
    if found.recommended is None:
        return ""
    predicted = found.predicted
    title = '<section id="predicted"><h2>What the recommended design predicts</h2>'
    if predicted.reason is not None:
        return f'{title}<p class="note">{markup.prose(f"Nothing to show: {predicted.reason}.")}</p></section>'
    if predicted.scores:
        note = _OF_MASKS.format(rows=counted(predicted.rows, "row"))
        return f'{title}<p class="note">{markup.prose(note)}</p>{mask_cards(predicted, found.shown_masks)}</section>'
    curves = any(own.labels for own in (predicted, *predicted.tasks.values()))
    note = _NOTE.format(rows=counted(predicted.rows, "row"), folds="; curves are means over folds" if curves else "")
    parts = [_shown(predicted, figures)] if not predicted.tasks else []
    for task, own in predicted.tasks.items():
        said = own.reason or f"{counted(own.rows, 'row')} with a label"
        parts.append(f'<h3>{escape(task)}</h3><p class="note">{markup.prose(f"{sentence_case(said)}.")}</p>')
        parts.append(_shown(own, [name for name in figures if name in {f"{about}-{task}" for about in _ABOUT}]))
    return f'{title}<p class="note">{markup.prose(note)}</p>{"".join(parts)}</section>'


def _shown(predicted: Predicted, figures: Sequence[str]) -> str:
    """Return figures and tables of one task."""
    cards = "".join(_figure(name) for name in figures)
    tables = "".join(_confusion(predicted, design) for design in predicted.designs if design.confusion)
    risk = predicted.designs[0].risk if predicted.designs else None
    cards += "" if risk is None else _at_risk(risk)
    matrices = f'<div class="split even">{tables}</div>' if tables else ""
    return f'<div class="split even">{cards}</div>{matrices}'


def _figure(name: str) -> str:
    about = next(text for known, text in _ABOUT.items() if name == known or name.startswith(f"{known}-"))
    return f'<div class="card"><h3>{about.partition(":")[0]}</h3>{markup.figure(f"figure-{name}", about)}</div>'


def _at_risk(risk: RiskGroups) -> str:
    """Return how many rows are at risk at some times, a row for each group."""
    columns = [("At risk", False), ("events", True), *((f"{time:g}", True) for time in risk.counted)]
    rows = [[Cell(each.name), *(Cell(str(number), kind="number") for number in (each.events, *each.at_risk))] for each in risk.groups]
    note = f'<p class="note">{markup.prose(risk_sentence(risk))}</p>'
    shown = f'<div class="scroll short">{markup.table(columns, rows)}</div>'
    return f'<div class="card"><h3>Rows at risk by {escape(risk.time)}</h3>{note}{shown}</div>'


def _confusion(predicted: Predicted, design: DesignPredictions) -> str:
    """Return the confusion matrix of a design as a table: a row for each class, shaded by its share of the row."""
    columns = [("Truth", False), *((label, True) for label in predicted.labels), ("Sensitivity", True)]
    rows = []
    for index, (label, counts) in enumerate(zip(predicted.labels, design.confusion, strict=True)):
        total = sum(counts) or 1
        cells = [Cell(str(each), kind="number", shade=each / total) for each in counts]
        rows.append([Cell(label), *cells, Cell(number(design.sensitivity[index]), kind="number")])
    rows.append([Cell("Precision"), *(Cell(number(each), kind="number") for each in design.precision), Cell("")])
    title = f"<h3>Confusion matrix: {escape(design.label)}</h3>"
    how = f'<p class="note">{markup.prose(f"Rows of each class, by what they were taken for. {decision_sentence(predicted, design)}")}</p>'
    return f'<div class="card">{title}{how}<div class="scroll short">{markup.table(columns, rows)}</div></div>'
