"""Writes `docs/benchmarks.md` from what `benchmarks/record.py` kept (`make reference`)."""

from __future__ import annotations

import ast
import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["PAGE", "benchmarks_page"]

PAGE = Path(__file__).with_name("benchmarks.md")
_BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
_HEAD = """# Benchmarks

Each benchmark is one command. `benchmarks/record.py NAME` runs it and keeps what it printed; `make reference` makes this page of that.
Times hang on the machine and on what else runs there, ratios of one run much less. Where a cell stands for several values (seeds,
repeats) it gives their median, then the least and the most.
"""


def benchmarks_page(folder: Path = _BENCHMARKS / "results") -> str:
    """Return the page: a section for each file of results, with a table for each list of rows in it."""
    parts = [_HEAD]
    for path in sorted(folder.glob("*.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))
        script = _BENCHMARKS / f"{path.name.partition('.')[0]}.py"
        purpose = (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").partition("\n\n")[0]
        versions = ", ".join(f"{name} {number}" for name, number in kept["versions"].items())
        note = f" {kept['note'][:1].upper()}{kept['note'][1:]}." if kept["note"] else ""
        facts = f"{kept['date']}; {kept['machine']}; {versions}.{note}"
        parts += [f"## {path.stem}\n", " ".join(purpose.split()) + "\n", f"```\n{kept['command']}\n```\n", facts + "\n"]
        parts += [f"{block}\n" for block in _blocks("", kept["results"])]
    return "\n".join(parts)


def _blocks(title: str, value: Any) -> Iterator[str]:
    """Give the tables of a value, each below its title."""
    if isinstance(value, Mapping):
        inner = {name: each for name, each in value.items() if _is_nested(each)}
        plain = {name: each for name, each in value.items() if name not in inner}
        if inner and all(isinstance(each, Mapping) and not any(map(_is_nested, each.values())) for each in inner.values()) and not plain:
            yield from _titled(title, [{"": name, **each} for name, each in inner.items()])
            return
        if plain:
            yield from _titled(title, [plain])
        for name, each in inner.items():
            yield from _blocks(f"{title}, {name}" if title else name, each)
    elif value:
        yield from _titled(title, value)


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(each, Mapping) for each in value))


def _titled(title: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [columns, ["---"] * len(columns), *([_cell(row.get(name)) for name in columns] for row in rows)]
    yield (f"**{title}**\n\n" if title else "") + "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_cell(each)}" for name, each in value.items())
    if isinstance(value, list):
        if len(value) > 1 and all(isinstance(each, int | float) for each in value):
            middle, low, high = (_cell(each) for each in (statistics.median(value), min(value), max(value)))
            return f"{middle} ({low} to {high})"
        return ", ".join(map(_cell, value))
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else " ".join(str(value).split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(benchmarks_page(), encoding="utf-8")
