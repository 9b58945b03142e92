"""The top of the page: what was found, in three rows, and the recommended design with the command that exports it."""

from __future__ import annotations

from html import escape

from fusearch.amounts import counted
from fusearch.inference import Answers
from fusearch.reports.figures.drawing import draw
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.reproduction import export_command, team_command
from fusearch.reports.findings.verdict import AnswerLine, Verdict
from fusearch.reports.glossary import with_meanings
from fusearch.reports.page import markup
from fusearch.reports.wording import interval_text, metric_label, number, sentence_case

__all__ = ["answer_rows", "recommended_card"]

#: Said once on the page: what the numbers of the answers are, and what ± is.
LEGEND = (
    "Differences and scores are after selection; a difference above 0 is a gain. ± in this report is always the standard deviation over "
    "the members of a design."
)

_PILLS = {"gain": "gain", "no clear gain": "other", "loss": "failed", "not estimable": "other"}


def answer_rows(found: Findings, verdict: Verdict) -> str:
    """Return the answers as short rows; empty where no trial has finished."""
    if not verdict.lines:
        return ""
    metric = sentence_case(metric_label(found.main.name))
    heads = ("Question", metric, "90 % interval", "Answer")
    head = "".join(f'<th scope="col">{with_meanings(text)}</th>' for text in heads)
    rows = "".join(map(_row, verdict.lines))
    legend = with_meanings(LEGEND)
    return (
        f'<table class="answers" aria-label="The answers"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="note legend">{legend}</p>'
    )


def _row(line: AnswerLine) -> str:
    shown = markup.pills([(_PILLS[line.outcome], line.outcome)]) if line.outcome else markup.pills([("recommended", "recommended")])
    return (
        f'<tr data-answer="{line.key}" title="{escape(line.sentence)}"><th scope="row">{escape(line.question)}'
        f"<small>{with_meanings(line.compared)}</small></th>"
        f'<td class="value">{escape(line.value) or "–"}</td><td>{escape(line.interval) or "–"}</td><td>{shown}</td></tr>'
    )


def recommended_card(found: Findings, answers: Answers) -> str:
    """Return the recommended design: its drawing, its score after selection, its cost, and the button that copies the export command."""
    record, pick = found.recommended, answers.pick
    if record is None:
        return ""
    graph = found.graphs.get(record.digest)
    drawing = f'<div class="drawing">{draw(graph, modalities=found.modalities, standalone=False)}</div>' if graph is not None else ""
    formula = "" if graph is not None else f"<pre>{markup.formula(found.text(record))}</pre>"
    metric = sentence_case(metric_label(found.main.name))
    values = [(sentence_case(metric_label(name)), number(value), "") for name, value in pick.cost.items()]
    if pick.score is not None and pick.interval is not None:
        values = [(f"{metric} after selection", number(pick.score), ""), ("90 % interval", interval_text(pick.interval), ""), *values]
    elif pick.plain is not None:
        values = [(f"{metric} as the search saw it", number(pick.plain), ""), *values]
    what = "Picked, though it may be no better than a guess" if answers.may_be_a_guess else "Recommended"
    title = f"<h2>{what}: trial {record.number}</h2>"
    members = with_meanings(f"Scored on {counted(record.num_members, 'member')}.") if record.num_members else ""
    return (
        f'<article class="card recommended-card" aria-label="The recommended design">{drawing}{formula}'
        f'<div>{title}{markup.values(values)}<p class="labels">{members}</p>{_export(found)}</div></article>'
    )


def _export(found: Findings) -> str:
    """Return the command that exports the design, and that of the team where the estimate after selection recommends one."""
    commands = {"Copy the export command": export_command(found), "Copy the command for the team": team_command(found)}
    return "".join(
        f'<p class="export"><button type="button" class="copy" data-copy="{escape(command)}">{text}</button> '
        f'<output class="copied" aria-live="polite"></output></p><pre class="block">{escape(command)}</pre>'
        for text, command in commands.items()
        if command is not None
    )
