"""What a notebook shows of a value: a table of HTML in which every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from fusearch.amounts import amount

__all__ = ["html_table", "html_title", "html_values"]


def html_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    """Return a table.

    Args:
        rows: What stands in each row, by column; what is left out or None stands empty.
        columns: The columns in order; by default those of the rows.

    Example:
        >>> html_table([{"name": "a<b", "value": 0.123456}])
        '<table><tr><th>name</th><th>value</th></tr><tr><td>a&lt;b</td><td>0.1235</td></tr></table>'
    """
    rows = list(rows)
    columns = columns or list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(row.get(name))}</td>' for name in columns)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def html_values(values: Mapping[str, float], spread: Mapping[str, float]) -> str:
    """Return a table of named values, with their spread where it is known."""
    rows: list[dict[str, Any]] = [{"value": name, "mean": value, "spread": spread.get(name)} for name, value in values.items()]
    return html_table(rows, ("value", "mean", "spread") if spread else ("value", "mean"))


def html_title(text: str) -> str:
    """Return a line that stands above a table."""
    return f"<p><b>{escape(text)}</b></p>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return amount(value)
    return escape(str(value)).replace("\n", "<br>")
