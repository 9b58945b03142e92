"""The page of benchmarks is made from what their runs printed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def benchmarks() -> Any:
    return load_script(ROOT / "docs" / "benchmarks_page.py")


def test_the_page_is_not_stale(benchmarks: Any) -> None:
    page = benchmarks.PAGE.read_text(encoding="utf-8")
    assert page == benchmarks.benchmarks_page(), "docs/benchmarks.md is stale: run `make reference`"


def test_what_is_kept_names_no_folder() -> None:
    for path in (ROOT / "benchmarks" / "results").glob("*.json"):
        kept = json.loads(path.read_text(encoding="utf-8"))
        assert not [each for each in kept["command"].split() if each.startswith("/")]


def test_rows_become_tables_and_several_values_their_median(benchmarks: Any, tmp_path: Path) -> None:
    results = {
        "sampler": "random",
        "sizes": [{"trials": 250, "ms": 5.25}, {"trials": 10_000, "ms": math.inf, "claims": True}],
        "ratios": {"inline": {"wall": [1.5, 0.5, 1.0]}, "ray": {"wall": None}},
    }
    kept = {"command": "python benchmarks/driver.py", "date": "2026-01-01", "machine": "m", "versions": {"ray": "1"}, "note": "busy"}
    (tmp_path / "driver.json").write_text(json.dumps({**kept, "results": results}), encoding="utf-8")
    page = benchmarks.benchmarks_page(tmp_path)
    assert "## driver\n\nWhat the driver does for each trial" in page
    assert "2026-01-01; m; ray 1. Busy." in page
    assert "| sampler |\n| --- |\n| random |" in page
    assert "**sizes**\n\n| trials | ms | claims |\n| --- | --- | --- |\n| 250 | 5.25 | - |\n| 10,000 | - | yes |" in page
    assert "**ratios**\n\n|  | wall |\n| --- | --- |\n| inline | 1 (0.5 to 1.5) |\n| ray | - |" in page


def test_no_table_is_wider_than_a_page(benchmarks: Any, tmp_path: Path) -> None:
    rows = [
        {"set": name, "size": len(name), "folds": 5, "part": part, **{f"value_{column}": 10 * part + column for column in range(9)}}
        for name in ("digits", "brca")
        for part in range(10)
    ]
    rows[3] |= {"reason": "odd | one"}
    kept = {"command": "c", "date": "d", "machine": "m", "versions": {}, "note": "", "results": rows}
    (tmp_path / "driver.json").write_text(json.dumps(kept), encoding="utf-8")
    page = benchmarks.benchmarks_page(tmp_path)
    assert "In all rows: folds 5.\n\n**digits**\n\nIn all rows: size 6.\n\n| part | value 0 |" in page
    assert "| 3 | 30 | 31 | 32 | 33 |\n" in page, "half of the values"
    assert "| 3 | 34 | 35 | 36 | 37 | 38 |\n" in page, "and the others"
    assert page.count("- 3: reason odd \\| one") == 1, "what few rows have stands below"
    tables = (benchmarks.PAGE.read_text(encoding="utf-8") + page).split("\n\n")
    widths = [table.splitlines()[0].count(" | ") + 1 for table in tables if table.startswith("| ")]
    assert max(widths) <= 8
