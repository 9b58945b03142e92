"""What designs score on held-out masks, and some of these masks, for the section on what is predicted."""

from __future__ import annotations

import base64
from html import escape

from fusearch.reports.figures.mask_picture import COLOURS, mask_picture
from fusearch.reports.findings.predicted import MASK_SCORES, Predicted
from fusearch.reports.findings.shown_masks import ShownMasks
from fusearch.reports.page import markup
from fusearch.reports.page.markup import Cell
from fusearch.reports.wording import number

__all__ = ["mask_cards"]


def mask_cards(predicted: Predicted, shown: ShownMasks | None) -> str:
    """Return the cards: scores over the samples, and pictures of some of them."""
    columns = [("Design", False), ("score", False), *((name, True) for name in MASK_SCORES)]
    rows = [
        [Cell(each.label), Cell(each.score), *(Cell(number(value), kind="number") for value in each.values)] for each in predicted.scores
    ]
    table = f'<div class="card"><h3>Scores of held-out samples</h3><div class="scroll short">{markup.table(columns, rows)}</div></div>'
    return table + ("" if shown is None else _pictures(shown))


def _pictures(shown: ShownMasks) -> str:
    data = base64.b64encode(mask_picture(shown.images, [shown.true, *shown.said.values()])).decode()
    columns = ["image", "truth", *shown.said]
    about = f"Held-out samples {', '.join(shown.ids)}, from top to bottom; from left to right: {', '.join(columns)}."
    keys = "".join(
        f'<span style="border-left:1em solid rgb{COLOURS[index % len(COLOURS)]};padding-left:.4em;margin-right:1em">{escape(label)}</span>'
        for index, label in enumerate(shown.labels[1:])
    )
    picture = f'<img alt="{escape(about)}" src="data:image/png;base64,{data}" style="width:100%;image-rendering:pixelated">'
    return (
        f'<div class="card"><h3>Masks of held-out samples</h3><p class="note">{escape(about)}</p>{picture}<p class="note">{keys}</p></div>'
    )
