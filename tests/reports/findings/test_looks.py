from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fusearch.contracts import Objective
from fusearch.errors import RunError
from fusearch.layout import CONFIRMATION
from fusearch.reports.document import to_document
from fusearch.reports.findings.findings import read_findings
from fusearch.reports.findings.looks import pick_sentence, read_looks
from fusearch.reports.findings.verdict import judge
from fusearch.reports.page import sections
from fusearch.run import Run

AUROC = Objective.parse("auroc")


def entry(role: str, trial: int, search: float, test: float) -> dict[str, Any]:
    metrics = {"role": role, "trial": trial, "digest": f"g{trial}", "candidate": f"c{trial}", "formula": ""}
    return {**metrics, "values": {"auroc": test, "log_loss": 0.4}, "search": {"auroc": search}}


def look(number: int = 1) -> dict[str, Any]:
    designs = [entry("picked", 9, 0.90, 0.84), entry("late", 5, 0.87, 0.85), entry("linear", 2, 0.85, 0.83), entry("front", 9, 0.90, 0.84)]
    return {"look": number, "samples": 57, "pick": "simplest", "designs": designs}


def write(folder: Path, *looks: dict[str, Any]) -> None:
    (folder / CONFIRMATION).write_text(json.dumps({"looks": looks}))


def test_nothing_was_confirmed(tmp_path: Path) -> None:
    assert read_looks(tmp_path, AUROC) == ()


def test_the_optimism_counts_each_design_once(tmp_path: Path) -> None:
    write(tmp_path, look())
    (found,) = read_looks(tmp_path, AUROC)
    assert [(design.role, design.search, design.test) for design in found.designs][:2] == [("picked", 0.90, 0.84), ("late", 0.87, 0.85)]
    assert found.optimism == pytest.approx((0.06 + 0.02 + 0.02) / 3)


def test_a_metric_that_is_minimized_turns_the_sign(tmp_path: Path) -> None:
    write(tmp_path, {**look(), "designs": [{**entry("picked", 1, 0, 0), "values": {"log_loss": 0.5}, "search": {"log_loss": 0.4}}]})
    assert read_looks(tmp_path, Objective.parse("log_loss"))[0].optimism == pytest.approx(0.1)


def test_designs_that_looked_worse_on_validation_are_called_so(make_run: Callable[..., Run]) -> None:
    run = make_run(6)
    write(run.path, {**look(), "designs": [entry("picked", 1, 0.80, 0.82)]})
    assert "on average the designs looked 0.020 worse on validation" in sections.confirmed(read_findings(run))


def test_the_comparison_is_corrected_for_all_looks(tmp_path: Path) -> None:
    compared = {"metric": "auroc", "trials": [5, 9], "difference": 0.03, "interval": [0.01, 0.05], "p": 0.03}
    write(tmp_path, {**look(), "comparison": compared})
    (first,) = read_looks(tmp_path, AUROC)
    assert first.comparison is not None
    assert (first.comparison.outcome, first.comparison.p, first.comparison.trials) == ("gain", 0.03, (5, 9))
    write(tmp_path, {**look(), "comparison": compared}, look(2), {**look(3), "comparison": {**compared, "p": 0.5}})
    first, second, third = read_looks(tmp_path, AUROC)
    assert second.comparison is None
    assert [each.comparison and each.comparison.outcome for each in (first, third)] == ["no clear gain", "no clear gain"]
    assert first.comparison is not None
    assert first.comparison.p == pytest.approx(0.06)
    assert read_looks(tmp_path, Objective.parse("log_loss"))[0].comparison is None


def test_the_pick_is_told_with_its_interval_and_as_the_reference_that_it_is(tmp_path: Path) -> None:
    compared = {"metric": "auroc", "trials": [5, 9], "difference": 0.03, "interval": [-8e-5, 0.05], "p": 0.06}
    scored = {"metric": "auroc", "value": 0.84, "interval": [0.79, 0.9]}
    write(tmp_path, {**look(), "score": scored, "comparison": compared})
    said = "The pick (trial 9) has AUROC 0.840 (90 % interval 0.790 to 0.900)."
    gained = "(trial 5) to the pick (trial 9) AUROC gains +0.030 (90 % interval −0.0001 to +0.050): no clear gain."
    (found,) = read_looks(tmp_path, AUROC)
    assert pick_sentence(found, "auroc") == f"{said} From the best reference of the search {gained}"
    write(tmp_path, {**look(), "score": scored, "comparison": compared, "picked_best_reference": True})
    (found,) = read_looks(tmp_path, AUROC)
    assert pick_sentence(found, "auroc") == f"{said} It is itself the best reference of the search. From the next best one {gained}"
    write(tmp_path, {**look(), "score": scored, "picked_best_reference": True})
    (found,) = read_looks(tmp_path, AUROC)
    assert (
        pick_sentence(found, "auroc") == f"{said} It is itself the best reference of the search, and there is no other to compare it with."
    )
    write(tmp_path, look())
    (found,) = read_looks(tmp_path, AUROC)
    assert pick_sentence(found, "auroc") == ""
    assert read_looks(tmp_path, Objective.parse("log_loss"))[0].interval is None


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / CONFIRMATION).write_text('{"looks": [{}]}')
    with pytest.raises(RunError, match=r"cannot read .*confirm\.json"):
        read_looks(tmp_path, AUROC)


def test_the_report_sets_validation_and_test_side_by_side(make_run: Callable[..., Run]) -> None:
    run = make_run(12)
    write(run.path, look(), look(2))
    found = read_findings(run)
    html = sections.confirmed(found)
    assert "57 samples; on average the designs looked 0.033 better on validation" in html
    assert "Look 2, which no longer tells the truth" in html
    sentences = judge(found).sentences
    assert "On the test split (57 samples, look 1 of 2) the pick, trial 9, has AUROC 0.840." in sentences
    assert not any("Confirm the choice" in sentence for sentence in sentences)
    assert [each["number"] for each in to_document(found, judge(found))["confirmed"]] == [1, 2]
