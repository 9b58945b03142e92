"""Pieces of HTML: escaped text, pills, lists of values, tables. Whatever goes in is escaped here, once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from fusearch.reports.glossary import meaning, with_meanings
from fusearch.version import __version__

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "Cell",
    "asset",
    "embed",
    "embed_figure",
    "figure",
    "figure_chooser",
    "folded",
    "formula",
    "gauge",
    "head",
    "pills",
    "prose",
    "table",
    "values",
]


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: What stands in it.
        value: What it is sorted by; None for the text.
        note: Small text after it, such as a spread.
        kind: `number`, `code` (monospace, line breaks kept), `reason` (wraps), or `text`.
        markup: Safe HTML that stands in the cell in place of the text.
        shade: How deep its ground is, from 0 to 1.
    """

    text: str
    value: float | None = None
    note: str = ""
    kind: str = "text"
    markup: str = ""
    shade: float = 0.0

    def html(self) -> str:
        sort = f' data-value="{self.value:.10g}"' if self.value is not None else ' data-value=""' if self.kind == "number" else ""
        style = {"number": ' class="n"', "reason": ' class="reason"'}.get(self.kind, "")
        text = f"<pre>{formula(self.text)}</pre>" if self.kind == "code" else escape(self.text)
        note = f" <small>{escape(self.note)}</small>" if self.note else ""
        style += f' style="--shade:{100 * self.shade:.0f}%"' if self.shade else ""
        return f"<td{style}{sort}>{self.markup or text}{note}</td>"


def formula(text: str) -> str:
    """Return a design's text, escaped, with the line of its streams in a softer tone."""
    streams, newline, rest = text.partition("\n")
    return f'<span class="streams">{escape(streams)}</span>\n{escape(rest)}' if newline else escape(text)


def figure(name: str, about: str, *, identifier: str = "") -> str:
    """Return the place of a plotly figure, with its name for whoever cannot see it.

    Args:
        name: Id of the embedded figure.
        about: What it shows.
        identifier: Id of the place, where a chooser changes the figure in it.
    """
    place = f' id="{identifier}"' if identifier else ""
    return f'<div class="figure"{place} role="figure" aria-label="{escape(about)}" data-figure="{name}"></div>'


def figure_chooser(label: str, options: Iterable[tuple[str, str]], *, shows: str) -> str:
    """Return a list that chooses which figure stands in a place.

    Args:
        label: What is chosen.
        options: (id of the embedded figure, text) of each.
        shows: Id of the place.
    """
    listed = "".join(f'<option value="{value}">{escape(text)}</option>' for value, text in options)
    name = f"{shows}-chooser"
    return f'<p class="choose"><label for="{name}">{escape(label)}</label> <select id="{name}" data-shows="{shows}">{listed}</select></p>'


def gauge(share: float) -> str:
    """Return a bar that is filled to a share."""
    return f'<span class="gauge"><i style="width:{100 * share:.1f}%"></i></span>'


def pills(entries: Iterable[tuple[str, str]]) -> str:
    """Return (kind, text) pairs as pills."""
    return " ".join(f'<span class="pill {escape(kind)}">{escape(text)}</span>' for kind, text in entries)


def prose(text: str) -> str:
    """Return a sentence, where words that need it carry their meaning; what stands in backticks is code."""
    parts = text.split("`")
    return "".join(f"<code>{escape(part)}</code>" if index % 2 else with_meanings(part) for index, part in enumerate(parts))


def values(entries: Iterable[tuple[str, str, str]]) -> str:
    """Return (name, value, spread) triples as a list."""
    parts = []
    for name, value, spread in entries:
        note = f" <small>± {escape(spread)}</small>" if spread else ""
        parts.append(f"<div><dt>{with_meanings(name)}</dt><dd>{escape(value)}{note}</dd></div>")
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
        f'<th scope="col"{" class=n" if numeric else ""}>{_head(title, sorts=bool(identifier))}</th>' for title, numeric in columns
    )
    body = "".join(
        f"<tr{' ' + attributes[index] if attributes else ''}>{''.join(cell.html() for cell in row)}</tr>" for index, row in enumerate(rows)
    )
    name = f' id="{identifier}"' if identifier else ""
    names = folded(identifier, [title for title, _ in columns]) if identifier else ""
    return f"{names}<table{name}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _head(title: str, *, sorts: bool) -> str:
    if not sorts:
        return with_meanings(title)
    told = f' title="{escape(meaning(title))}"' if meaning(title) else ""
    return f'<button type="button"{told}>{escape(title)}</button>'


def folded(identifier: str, titles: Sequence[str]) -> str:
    """Return the styles that name each value where a narrow screen shows a row as a card: each title once, not once a row.

    Args:
        identifier: Id of the table, or of what it stands in.
        titles: Of its columns.
    """
    rules = "".join(
        f'#{identifier} td:nth-child({place})::before{{content:"{_css_text(title)}"}}' for place, title in enumerate(titles, start=1)
    )
    return f"<style>@media (max-width:640px){{{rules}}}</style>"


def _css_text(text: str) -> str:
    return "".join(each if each.isascii() and (each.isalnum() or each == " ") else f"\\{ord(each):06x} " for each in text)


def asset(name: str) -> str:
    """Return a file of the pages, as text."""
    return (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")


def head(title: str, css: str) -> str:
    """Return what every page begins with: its title, its styles, and what it may not do."""
    return Template(asset("head.html")).substitute(version=escape(__version__), title=escape(title), css=css)


def embed_figure(figure: go.Figure) -> str:
    """Return a figure as JSON that is safe inside a `<script>` element."""
    return _inside_script(figure.to_json(remove_uids=True))


def embed(facts: Any) -> str:
    """Return facts as JSON that is safe inside a `<script>` element; a number that is not finite becomes null."""
    return _inside_script(json.dumps(_finite(facts), ensure_ascii=False, separators=(",", ":")))


def _inside_script(text: str) -> str:
    return text.replace("<", "\\u003c")


def _finite(facts: Any) -> Any:
    if isinstance(facts, dict):
        return {str(key): _finite(value) for key, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [_finite(value) for value in facts]
    if isinstance(facts, float) and facts - facts != 0:
        return None
    return facts
