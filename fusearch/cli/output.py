"""What a command prints: one JSON document for programs, or a few lines for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fusearch.amounts import amount

__all__ = ["document", "figure", "say", "show_table", "warn"]


def say(text: str = "") -> None:
    """Write one line for people on standard output."""
    sys.stdout.write(text + "\n")


def warn(text: str) -> None:
    """Write one line that warns of something on standard error."""
    sys.stderr.write(f"warning: {text}\n")


@contextmanager
def document(as_json: bool) -> Iterator[Callable[[Any], None]]:
    """Give the function that prints the command's one JSON document.

    With `as_json`, whatever else this process or its children write to standard output meanwhile goes to standard error,
    so that a program can read the document alone. Without it the function does nothing.
    """
    if not as_json:
        yield lambda _content: None
        return
    kept: list[str] = []
    stdout, saved = sys.stdout, os.dup(1)
    stdout.flush()
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    try:
        yield lambda content: kept.append(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))
    finally:
        sys.stdout = stdout
        os.dup2(saved, 1)
        os.close(saved)
    for text in kept:
        say(text)


def figure(value: Any) -> str:
    """Write a value as a person would: `0.9731`, `12,544`, `1.25e+07`, `benign 251, malignant 148`."""
    if isinstance(value, Mapping):
        return (
            ", ".join(f"{name} {amount(part)}" if isinstance(part, float) else f"{name} {figure(part)}" for name, part in value.items())
            or "-"
        )
    if isinstance(value, list | tuple):
        return " x ".join(figure(part) for part in value) if all(isinstance(part, int) for part in value) else ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return "-" if value is None else str(value)
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 else f"{value:.3g}"


def show_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, title: str | None = None) -> None:
    """Print rows as a table: numbers stand right, long text folds over several lines, but not in the first column."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = all(isinstance(row.get(column), int | float | None) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric or column == columns[0])
    for row in rows:
        table.add_row(*(Text(figure(row.get(column))) for column in columns))
    width = None if sys.stdout.isatty() else 140  # a pipe has no width of its own
    Console(file=sys.stdout, width=width).print(table)
