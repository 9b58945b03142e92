from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs

from fusearch.errors import RunError
from fusearch.reports import compare_runs
from fusearch.reports.findings.compared import read_compared
from fusearch.reports.page.comparison import comparison_rows, comparison_sentences, render_comparison
from fusearch.run import Run


def test_the_page_needs_nothing_else(make_run: Callable[..., Run], tmp_path: Path) -> None:
    page = compare_runs([make_run(8, seed=seed).path for seed in (0, 1)], tmp_path / "new" / "page.html")
    text = page.read_text(encoding="utf-8")
    ours = text.replace(get_plotlyjs(), "")
    assert "default-src 'none'" in ours
    assert not re.search(r"https?://", ours)
    assert text.count('data-figure="') == 2
    for title in ("2 runs compared", "Fronts", "Hypervolume over trials", "run0", "run1"):
        assert title in text


def test_names_are_escaped(make_run: Callable[..., Run]) -> None:
    first, second = make_run(6), make_run(6, seed=1)
    second.path.rename(second.path.with_name("<script>alert(1)<"))
    text = render_comparison(read_compared([first.path, second.path.with_name("<script>alert(1)<")]))
    assert "<script>alert" not in text


def test_sentences_and_rows(make_run: Callable[..., Run]) -> None:
    found = read_compared([make_run(8, seed=seed).path for seed in (0, 1)])
    best, fusion, search = comparison_sentences(found)
    assert re.match(r"Best AUROC 0\.\d{3} ± 0\.\d{3}, hypervolume 0\.\d{3} ± 0\.\d{3} \(standard deviation over the runs", best)
    assert (fusion, search) == ("Fusion is a gain in 0 of 2 runs (none estimable).", "Searching is a gain in 0 of 2 runs (none estimable).")
    assert [row["run"] for row in comparison_rows(found)] == [run.name for run in found.runs]
    assert [row["pick, after selection"] for row in comparison_rows(found)] == [run.answers.pick.score for run in found.runs]


def test_a_place_that_cannot_be_written(make_run: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        compare_runs([make_run(6).path, make_run(6, seed=1).path], tmp_path / "file" / "page.html")
