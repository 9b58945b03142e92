"""Pieces of HTML: escaped text, pills, lists of values, tables. Whatever goes in is escaped here, once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

__all__ = ["Cell", "embed", "formula", "pills", "table", "values"]


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: What stands in it.
        value: What it is sorted by; None for the text.
        note: Small text after it, such as a spread.
        kind: `number`, `code` (monospace, line breaks kept), `reason` (wraps), or `text`.
        markup: Safe HTML that stands in the cell in place of the text.
    """

    text: str
    value: float | None = None
    note: str = ""
    kind: str = "text"
    markup: str = ""

    def html(self) -> str:
        sort = f' data-value="{self.value:.10g}"' if self.value is not None else ' data-value=""' if self.kind == "number" else ""
        style = {"number": ' class="n"', "reason": ' class="reason"'}.get(self.kind, "")
        text = f"<pre>{formula(self.text)}</pre>" if self.kind == "code" else escape(self.text)
        note = f" <small>{escape(self.note)}</small>" if self.note else ""
        return f"<td{style}{sort}>{self.markup or text}{note}</td>"


def formula(text: str) -> str:
    """Return a design's text, escaped, with the line of its streams in a softer tone."""
    streams, newline, rest = text.partition("\n")
    return f'<span class="streams">{escape(streams)}</span>\n{escape(rest)}' if newline else escape(text)


def pills(entries: Iterable[tuple[str, str]]) -> str:
    """Return (kind, text) pairs as pills."""
    return " ".join(f'<span class="pill {escape(kind)}">{escape(text)}</span>' for kind, text in entries)


def values(entries: Iterable[tuple[str, str, str]]) -> str:
    """Return (name, value, spread) triples as a list."""
    parts = []
    for name, value, spread in entries:
        note = f" <small>± {escape(spread)}</small>" if spread else ""
        parts.append(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}{note}</dd></div>")
    return f'<dl class="values">{"".join(parts)}</dl>'


def table(
    columns: Sequence[tuple[str, bool]], rows: Iterable[Sequence[Cell]], *, attributes: Sequence[str] = (), identifier: str = ""
) -> str:
    """Return a table.

    Args:
        columns: (title, whether it holds numbers) of each column.
        rows: The cells.
        attributes: Attributes of each row, already escaped.
        identifier: Id of the table; one with an id can be sorted.
    """
    head = "".join(
        f'<th scope="col"{" class=n" if numeric else ""}>{f"<button>{escape(title)}</button>" if identifier else escape(title)}</th>'
        for title, numeric in columns
    )
    body = "".join(
        f"<tr{' ' + attributes[index] if attributes else ''}>{''.join(cell.html() for cell in row)}</tr>" for index, row in enumerate(rows)
    )
    name = f' id="{identifier}"' if identifier else ""
    return f"<table{name}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def embed(facts: Any) -> str:
    """Return facts as JSON that is safe inside a `<script>` element; a number that is not finite becomes null."""
    return json.dumps(_finite(facts), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _finite(facts: Any) -> Any:
    if isinstance(facts, dict):
        return {str(key): _finite(value) for key, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [_finite(value) for value in facts]
    if isinstance(facts, float) and facts - facts != 0:
        return None
    return facts
