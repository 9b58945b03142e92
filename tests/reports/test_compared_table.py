"""Runs side by side as a data frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import fusearch as fs
from fusearch.errors import RunError
from fusearch.reports.compared_table import compare
from fusearch.run import Run


def test_a_row_a_run(make_run: Callable[..., Run], tmp_path: Path) -> None:
    runs = [make_run(9), make_run(12)]
    table = fs.compare([runs[0], runs[1].path], out=tmp_path / "page.html")
    assert list(table["trials"]) == [9, 12]
    assert list(table["best AUROC"]) == [run.read().feasible[0].values["auroc"] for run in runs]
    assert table.attrs["sentences"][0].startswith("Best AUROC")
    assert "<svg" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_one_run_is_not_compared(make_run: Callable[..., Run]) -> None:
    with pytest.raises(RunError, match="1 run to compare, expected two or more"):
        compare([make_run(3)])
