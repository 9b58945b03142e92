"""Runs a script in cells (`# %%`), and tells it with its output as a page and as a notebook: `tutorial.py`, by the build of the site."""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple

__all__ = ["Cell", "as_markdown", "as_notebook", "run_cells"]


class Cell(NamedTuple):
    """One cell.

    Attributes:
        kind: `markdown` or `code`.
        source: Its text.
        printed: What it printed, and the value of its last expression where that has no picture.
        html: The value of its last expression as HTML; empty where it has none.
    """

    kind: str
    source: str
    printed: str = ""
    html: str = ""


def run_cells(text: str) -> list[Cell]:
    r"""Run a script cell by cell, in an empty folder.

    Args:
        text: The script: `# %%` begins a cell of code, `# %% [markdown]` one of words, whose lines are comments.

    Raises:
        Exception: Whatever a cell raises.

    Example:
        >>> [cell.printed for cell in run_cells("# %%\nx = 2\nx + 1")]
        ['3\n']
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    cells = []
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for part in text.split("# %%")[1:]:
                head, _, source = part.partition("\n")
                source = source.strip("\n")
                if "[markdown]" in head:
                    cells.append(Cell("markdown", "\n".join(line.removeprefix("#").removeprefix(" ") for line in source.splitlines())))
                else:
                    cells.append(Cell("code", source, *_run(source, names)))
        finally:
            os.chdir(home)
    return cells


def _run(source: str, names: dict[str, Any]) -> tuple[str, str]:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    out, html = io.StringIO(), ""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(tree, "<cell>", "exec"), names)  # noqa: S102  # a script of this repository
        value = None if last is None else eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)  # noqa: S307
    if hasattr(value, "_repr_html_"):
        html = value._repr_html_()
    elif isinstance(value, str) and value.lstrip().startswith("<svg"):
        html = value
    elif value is not None:
        out.write(f"{value!r}\n")
    return out.getvalue(), html


def as_markdown(cells: Sequence[Cell]) -> str:
    """Return the cells as a page: code, then what it printed, then what it showed."""
    parts = []
    for cell in cells:
        if cell.kind == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        if cell.printed:
            parts.append(f"```text\n{cell.printed.rstrip()}\n```")
        if cell.html:
            parts.append(f'<div class="output">{_shown(cell.html)}</div>')
    return "\n\n".join(parts) + "\n"


def _shown(html: str) -> str:
    """Return HTML on one line; an SVG as a picture, since that follows the scheme, bright or dark, which a reader chose for the page."""
    if html.lstrip().startswith("<svg"):
        return f'<img alt="What the cell shows" src="data:image/svg+xml;base64,{base64.b64encode(html.encode()).decode()}">'
    return " ".join(html.split())


def as_notebook(cells: Sequence[Cell]) -> str:
    """Return the cells as a notebook of format 4.5, with their output."""
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"language_info": {"name": "python"}, "kernelspec": {"name": "python3", "display_name": "Python 3"}},
            "cells": [_notebook_cell(number, cell) for number, cell in enumerate(cells)],
        },
        indent=1,
    )


def _notebook_cell(number: int, cell: Cell) -> dict[str, Any]:
    told: dict[str, Any] = {"id": f"cell{number}", "cell_type": cell.kind, "metadata": {}, "source": cell.source}
    if cell.kind == "code":
        printed = [{"output_type": "stream", "name": "stdout", "text": cell.printed}] if cell.printed else []
        data = {"text/html": cell.html}
        shown = [{"output_type": "display_data", "metadata": {}, "data": data}] if cell.html else []
        told |= {"execution_count": number, "outputs": printed + shown}
    return told
