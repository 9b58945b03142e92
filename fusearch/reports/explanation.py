"""The section on what designs hang on: modalities taken away or shuffled, the hierarchy of joined class scores, and features."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from fusearch.errors import RunError
from fusearch.layout import explanation_files
from fusearch.reports import markup
from fusearch.reports.attribution import attribution_cards
from fusearch.reports.markup import Cell
from fusearch.reports.wording import count, metric_label, number, sentence_case

__all__ = ["explanation_section", "read_explanations"]

_HOW = {"ablation": "taken away", "permutation": "shuffled"}


def read_explanations(folder: Path | None) -> list[dict[str, Any]]:
    """Read what `fusearch explain` found, in the order of the candidates' digests.

    Raises:
        RunError: A file is not what `explain` writes.
    """
    found = []
    for path in explanation_files(folder) if folder is not None else []:
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            _ = told["digest"], told["metric"], told["members"], told["effects"], told["shares"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{str(path)!r} is not an explanation of a design: {error}") from None
        found.append(told)
    return found


def explanation_section(folder: Path | None) -> str:
    """Return the section `explained`; empty for a run of which nothing was explained."""
    found = read_explanations(folder)
    if not found:
        return ""
    note = (
        "How much worse a design gets without the information of a modality, on held-out rows: taken away (absent in every sample), or "
        "shuffled (given to the wrong samples). Intervals are 95 % of the mean over members (Student's t); members share training rows, so "
        "they are rather too narrow."
    )
    body = "".join(_card(told) for told in found)
    return f'<section id="explained"><h2>What designs hang on</h2><p class="note">{escape(note)}</p>{body}</section>'


def _card(told: dict[str, Any]) -> str:
    metric = sentence_case(metric_label(told["metric"]))
    columns = [("Modality", False), ("Information", False), (f"Loss of {metric}", True), ("95 % interval", False)]
    rows = [
        [
            Cell(effect["modality"]),
            Cell(_HOW.get(effect["how"], effect["how"])),
            Cell(_signed(effect["drop"]), effect["drop"], kind="number"),
            Cell("" if effect["low"] is None else f"{_signed(effect['low'])} to {_signed(effect['high'])}"),
        ]
        for effect in told["effects"]
    ]
    title = f'<h3>Design <code class="digest">{escape(told["digest"])}</code>, {count(told["members"], "member")}</h3>'
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


def _signed(value: float | None) -> str:
    if value is None:
        return "–"
    if 0 < abs(value) < 5e-4:
        return "≈ 0"
    return ("−" if value < 0 else "") + (f"{abs(value):.3f}" if abs(value) < 1 else number(abs(value)))
