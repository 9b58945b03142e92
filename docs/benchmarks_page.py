"""Writes `docs/benchmarks.md` from what `benchmarks/record.py` kept (`make reference`)."""

from __future__ import annotations

import ast
import itertools
import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["PAGE", "benchmarks_page", "note_of"]

PAGE = Path(__file__).with_name("benchmarks.md")
_BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
#: Most columns of a table: a page of 1200 pixels has room for so many.
_WIDEST = 8
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
        facts = f"{kept['date']}; {kept['machine']}; {versions}. {note_of(kept)}".strip()
        parts += [f"## {path.stem}\n", " ".join(purpose.split()) + "\n", f"```\n{kept['command']}\n```\n", facts + "\n"]
        parts += [f"{block}\n" for block in _blocks("", kept["results"])]
    return "\n".join(parts)


def note_of(kept: Mapping[str, Any]) -> str:
    """Return the note of a recorded run as a sentence; empty where it has none."""
    note = str(kept["note"])
    return f"{note[:1].upper()}{note[1:]}." if note else ""


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


def _titled(title: str, rows: Sequence[Mapping[str, Any]], *, cut: bool = False) -> Iterator[str]:
    """Give the table of some rows, or several where it would be wider than a page: what all rows share stands above it."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    shared = [name for name in columns if len(rows) > 1 and len(_values(rows, name)) == 1]
    columns = [name for name in columns if name not in shared]
    told = [f"{_heading(name)} {value}" for name in shared if (value := _cell(rows[0].get(name))) not in ("-", "")]
    above = (f"**{title}**\n\n" if title else "") + (f"In all rows: {'; '.join(told)}.\n\n" if told else "")
    if len(columns) > _WIDEST and len(_values(rows, columns[0])) < len(rows) and not cut:
        yield from [above.strip()] if above else []
        for value in _values(rows, columns[0]):
            inner = [{name: row.get(name) for name in columns[1:]} for row in rows if _cell(row.get(columns[0])) == value]
            yield from _titled(value, inner, cut=True)
        return
    rare = [name for name in columns if sum(_cell(row.get(name)) != "-" for row in rows) <= len(rows) // 10]
    columns = [name for name in columns if name not in rare]
    keys = next(columns[:count] for count in range(1, len(columns) + 1) if _are_keys(columns[:count], rows) or count == len(columns))
    others = columns[len(keys) :]
    tables = max(1, math.ceil(len(others) / (_WIDEST - len(keys)))) if len(keys) < _WIDEST else 1
    cuts = [round(len(others) * table / tables) for table in range(tables + 1)]
    parts = [_table([*keys, *others[first:last]], rows) for first, last in itertools.pairwise(cuts)]
    notes = [f"- {_cells(row, keys)}: {_told(row, rare)}" for row in rows if _told(row, rare)]
    yield above + "\n\n".join([*parts, *(["\n".join(notes)] if notes else [])])


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [map(_heading, columns), ["---"] * len(columns), *([_cell(row.get(name)) for name in columns] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _values(rows: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    return list(dict.fromkeys(_cell(row.get(name)) for row in rows))


def _are_keys(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bool:
    return len({_cells(row, names) for row in rows}) == len(rows)


def _cells(row: Mapping[str, Any], names: Sequence[str]) -> str:
    return ", ".join(_cell(row.get(name)) for name in names)


def _told(row: Mapping[str, Any], names: Sequence[str]) -> str:
    return "; ".join(f"{_heading(name)} {_cell(row[name])}" for name in names if _cell(row.get(name)) != "-")


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
