"""What a command prints: one JSON document for programs, or a few lines for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["document", "figure", "say", "show_table"]


def say(text: str = "") -> None:
    """Write one line for people on standard output."""
    sys.stdout.write(text + "\n")


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
    """Write a number as a person would: `0.9731`, `12,544`, `1.2e+07`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-" if value is None else str(value)
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 else f"{value:.3g}"


def show_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, title: str | None = None, wide: Sequence[str] = ()) -> None:
    """Print rows as a table; the columns named in `wide` fold over several lines, numbers stand right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = all(isinstance(row.get(column), int | float | None) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=column not in wide)
    for row in rows:
        table.add_row(*(Text(figure(row.get(column))) for column in columns))
    Console(file=sys.stdout, soft_wrap=False).print(table)
