from __future__ import annotations

from collections.abc import Callable

from fusearch.reports.comparison import judge
from fusearch.reports.findings import read_findings
from fusearch.reports.markdown import render_markdown
from fusearch.run import Run


def render(run: Run) -> str:
    found = read_findings(run)
    return render_markdown(found, judge(found))


def test_the_first_line_is_the_verdict(make_run: Callable[..., Run]) -> None:
    run = make_run(30, failures=2)
    text = render(run)
    headline = judge(read_findings(run)).headline
    assert text.splitlines()[0] == f"# {headline}"


def test_tables_have_a_row_for_each_design_and_as_many_cells_as_columns(make_run: Callable[..., Run]) -> None:
    run = make_run(30)
    rows = [line.replace("\\|", "") for line in render(run).splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {7}
    assert len(rows) == len(run.front()) + len(run.references()) + 4


def test_reasons_and_what_is_needed_to_repeat_it(make_run: Callable[..., Run]) -> None:
    text = render(make_run(6, failures=3))
    assert "- 2 ×: macs is 3.2e+06, above the bound 1e+06" in text
    assert "fusearch search rosmap.yaml" in text
    assert "- Data fingerprint: 3f9c0aa1b2c4d5e6" in text


def test_strange_words_do_not_become_markup(make_run: Callable[..., Run]) -> None:
    text = render(make_run(3, references=False, formula=lambda rng: f"a|b`c`<i>{rng.integers(1_000_000)}"))
    row = next(line for line in text.splitlines() if line.startswith("| ") and "a\\|b" in line)
    assert row.replace("\\|", "").count("|") == 7


def test_an_empty_run(make_run: Callable[..., Run]) -> None:
    assert render(make_run(0)).startswith("# No trial has finished")
