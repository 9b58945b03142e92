from __future__ import annotations

import json
import re
from pathlib import Path

from planted_runs import planted_trials

from fusearch.layout import LEVELS
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.verdict import judge
from fusearch.reports.markdown import render_markdown
from fusearch.reports.page.levels_section import levels_section

DESIGNS = [("rna", 0.5, "best_unimodal"), ("F1 = cat(rna@L, labs@L) ->", 2.0, None)]


def test_a_table_for_each_column_with_all_rows_first(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, DESIGNS)
    assert levels_section(Findings(trials)) == ""
    sites = {f"p{row}": "<few>" if row < 10 else "north" for row in range(300)}
    (tmp_path / LEVELS).write_text(json.dumps({"site": sites, "sex": {f"p{row}": "fm"[row % 2] for row in range(300)}}))
    found = Findings(trials)
    html = levels_section(found)
    assert re.findall(r"<h3>([^<]+)", html) == ["By site", "By sex"]
    assert re.findall(r"<tr><td>([^<]+)<", html) == ["all rows", "&lt;few&gt;", "north", "all rows", "f", "m"]
    assert "Trial 1" in html
    assert "Best single modality, trial 0" in re.sub(r"<[^>]+>", "", html)
    assert html.count("too few rows: fewer than 20") == 1
    north = found.level_scores[0].levels[2].scores[0]
    assert f"{north.value:.3f} ({north.low:.3f} to {north.high:.3f})" in html
    text = render_markdown(found, judge(found))
    assert f"| north | 290 | {north.value:.3f} ({north.low:.3f} to {north.high:.3f})" in text


def test_a_column_of_which_nothing_can_be_told_says_why(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, DESIGNS, objectives=("macs",))
    (tmp_path / LEVELS).write_text(json.dumps({"site": {"p0": "a"}}))
    html = levels_section(Findings(trials))
    assert "Nothing to show: macs is no metric of the predictions that were kept." in re.sub(r"<[^>]+>", "", html)
    assert "<table" not in html
