from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from planted_runs import planted_trials

from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.page.predicted_section import predicted_section
from fusearch.run import Run

DESIGNS = [("rna", 0.5, "best_unimodal"), ("F1 = cat(rna@L, labs@L) ->", 2.0, None)]


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_curves_and_a_confusion_matrix_for_each_design(tmp_path: Path) -> None:
    found = Findings(planted_trials(tmp_path, DESIGNS))
    html = predicted_section(found, ["roc", "calibration"])
    assert re.findall(r'data-figure="([^"]+)"', html) == ["figure-roc", "figure-calibration"]
    assert all(about for about in re.findall(r'role="figure" aria-label="([^"]*)"', html))
    assert re.findall(r"Confusion matrix: ([^<]+)<", html) == ["trial 1", "best single modality, trial 0"]
    first = found.predicted.designs[0]
    assert f"0 {first.confusion[0][0]} {first.confusion[0][1]} {first.sensitivity[0]:.3f}" in text_of(html)
    assert "Of 300 rows that the training of a fold did not see" in html


def test_missing_predictions_are_said_in_one_sentence(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(8))
    assert found.recommended is not None
    html = predicted_section(found, [])
    assert f"Nothing to show: no predictions of trial {found.recommended.number} were kept." in html
    assert "<table" not in html
    assert predicted_section(read_findings(make_run(0)), []) == ""
