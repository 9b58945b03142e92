"""The section of the page about published designs: where they stand, and which is nearest to each design on the front."""

from __future__ import annotations

from html import escape

from fusearch.reports.findings.findings import Findings
from fusearch.reports.page import markup
from fusearch.reports.page.markup import Cell
from fusearch.reports.wording import metric_label, number, sentence_case

__all__ = ["published_section"]


def published_section(found: Findings) -> str:
    """Return the section `published`; empty where no published design was tried and the front has no fusion."""
    told = found.published
    parts = []
    if told.evaluated:
        names = [objective.name for objective in found.objectives]
        columns = [("Study", False), ("Place", True), *((sentence_case(metric_label(name)), True) for name in names)]
        rows = [
            [
                Cell("", markup=" = ".join(map(_linked, each.studies, each.links))),
                Cell(str(each.rank), float(each.rank or 0), kind="number"),
                *(Cell(number(found.value(each.record, name)), found.value(each.record, name), kind="number") for name in names),
                Cell("on the front" if each.on_front else ""),
                Cell("", markup=f'<code class="digest">{escape(each.digest)}</code>'),
            ]
            for each in told.evaluated
            if each.record is not None
        ]
        table = markup.table([*columns, ("", False), ("Digest", False)], rows)
        parts.append(f'<div class="scroll short">{table}</div>')
    if told.neighbours:
        rows = [
            [
                Cell(str(each.record.number), float(each.record.number), kind="number"),
                Cell("", markup=_linked(each.study, each.link), note=each.citation),
                Cell(f"{each.distance:.2f}", each.distance, kind="number"),
                Cell("", markup=f'<code class="digest">{escape(each.record.digest)}</code>'),
            ]
            for each in told.neighbours
        ]
        table = markup.table([("Trial", True), ("Nearest published design", False), ("Distance", True), ("Digest", False)], rows)
        parts.append(
            '<h3>Nearest to the designs on the front</h3><p class="note">Mean difference in ten features, from operators and depths to '
            f'training: 0 where all agree, 1 where none does.</p><div class="scroll short">{table}</div>'
        )
    if not parts and not told.asked:
        return ""
    sentences = "".join(f"<p>{markup.prose(sentence)}</p>" for sentence in told.sentences)
    return f'<section id="published"><h2>Published designs</h2>{sentences}{"".join(parts)}</section>'


def _linked(name: str, link: str) -> str:
    return f'<a href="{escape(link)}">{escape(name)}</a>' if link else escape(name)
