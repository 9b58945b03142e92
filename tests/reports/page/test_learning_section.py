from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from planted_runs import planted_losses, planted_trials

from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.verdict import judge
from fusearch.reports.markdown import render_markdown
from fusearch.reports.page.learning_section import learning_section
from fusearch.run import Run

DESIGNS = [("rna", 0.5, "best_unimodal"), ("F1 = cat(rna@L, labs@L) ->", 2.0, None)]


def test_a_card_for_each_design_and_a_list_of_its_parts(tmp_path: Path) -> None:
    losses = np.random.default_rng(0).random((5, 6, 2))
    trials = planted_losses(planted_trials(tmp_path, DESIGNS), {1: [losses, losses]}, phases=("rna", "fusion"))
    found = Findings(planted_losses(trials, {0: [losses]}))
    html = learning_section(found)
    assert re.findall(r'data-figure="([^"]+)"', html) == ["figure-learning-0-0", "figure-learning-1-0"]
    assert re.findall(r"<option value=\"([^\"]+)\">([^<]+)", html) == [
        ("figure-learning-0-0", "The whole design"),
        ("figure-learning-0-1", "Stream rna alone"),
    ]
    assert re.findall(r'data-shows="([^"]+)"', html) == re.findall(r'class="figure" id="([^"]+)"', html)[:1] == ["learning-0"]
    assert re.findall(r"<h3>([^<]+)", html) == ["Trial 1", "Best single modality, trial 0"]
    assert "of the recommended design were best between epoch" in html
    assert "were best between epoch" in render_markdown(found, judge(found))


def test_an_older_run_says_in_words_that_it_kept_none(make_run: Callable[..., Run]) -> None:
    html = learning_section(read_findings(make_run(8)))
    assert re.search(r"No learning curves of trial \d+: no losses of single epochs were kept\.", html)
    assert "data-figure" not in html
    assert learning_section(read_findings(make_run(0))) == ""
