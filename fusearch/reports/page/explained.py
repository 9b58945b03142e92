"""The section on what designs hang on: modalities taken away or shuffled, the hierarchy of joined class scores, and features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from fusearch.amounts import counted
from fusearch.reports.findings.explanations import how_label, interval, signed
from fusearch.reports.page import markup
from fusearch.reports.page.attributed import attribution_cards
from fusearch.reports.page.markup import Cell
from fusearch.reports.wording import metric_label, sentence_case

__all__ = ["explanation_section"]


def explanation_section(explanations: Sequence[Mapping[str, Any]]) -> str:
    """Return the section `explained`; empty for a run of which nothing was explained."""
    if not explanations:
        return ""
    note = (
        "How much worse a design gets without the information of a modality, on held-out rows: taken away (absent in every sample), or "
        "shuffled (given to the wrong samples). Intervals are 95 % of the mean over members (Student's t); members share training rows, so "
        "they are rather too narrow."
    )
    body = "".join(_card(told) for told in explanations)
    return f'<section id="explained"><h2>What designs hang on</h2><p class="note">{markup.prose(note)}</p>{body}</section>'


def _card(told: Mapping[str, Any]) -> str:
    metric = sentence_case(metric_label(told["metric"]))
    columns = [("Modality", False), ("Information", False), (f"Loss of {metric}", True), ("95 % interval", False)]
    rows = [
        [
            Cell(effect["modality"]),
            Cell(how_label(effect["how"])),
            Cell(signed(effect["drop"]), effect["drop"], kind="number"),
            Cell(interval(effect)),
        ]
        for effect in told["effects"]
    ]
    title = f'<h3>Design <code class="digest">{escape(told["digest"])}</code>, {counted(told["members"], "member")}</h3>'
    parts = [f'<div class="scroll short">{markup.table(columns, rows)}</div>']
    if told["shares"]:
        share_columns = [("Hierarchy", False), ("", False), ("Share of the weights", True)]
        share_rows = [
            [
                Cell(share["name"]),
                Cell(share["kind"]),
                Cell(f"{100 * share['mean']:.1f} %", share["mean"], note=f"± {100 * share['spread']:.1f}", kind="number"),
            ]
            for share in told["shares"]
        ]
        parts.append(f'<div class="scroll short">{markup.table(share_columns, share_rows)}</div>')
    return f'{title}<div class="split even">{"".join(parts)}</div>{attribution_cards(told.get("features", ()))}'
