from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from planted_runs import planted_trials

from fusearch.layout import predictions_file
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.looks import Confirmed, Look
from fusearch.reports.findings.verdict import judge

FUSED, OTHER = "F1 = cat(rna@L, labs@L) ->", "F1 = mean(rna@L, labs@L) ->"
SINGLE = ("rna", 0.3, "best_unimodal")


@pytest.mark.parametrize(
    ("designs", "headline"),
    [
        (
            [SINGLE, (FUSED, 1.0, "late"), (OTHER, 3.0, None)],
            r"Fusion helps \(AUROC 0\.\d+ better than rna alone, trial 0\), and a searched design beats every simpler one\.",
        ),
        (
            [SINGLE, (FUSED, 2.0, "late"), (OTHER, 2.0, None)],
            r"Fusion helps \(.*\), but searching found no clear gain over the simpler designs\.",
        ),
        (
            [("rna", 0.5, None), (FUSED, 0.5, "late"), (OTHER, 0.5, None)],
            r"No clear gain from fusion, and searching found no clear gain over the simpler designs\.",
        ),
        (
            [("rna", 3.0, None), (FUSED, 0.3, "late"), (OTHER, 0.3, None)],
            r"Fusion does not pay here \(AUROC 0\.\d+ worse than rna alone, trial 0\), and searching found nothing as good as",
        ),
        ([SINGLE, (FUSED, 2.0, "late")], r"Fusion helps \(.*\); what searching added cannot be told \(no design beyond the references"),
        (
            [(FUSED, 0.3, "late"), (OTHER, 3.0, None)],
            r"What fusion buys cannot be told \(no single modality was evaluated\); a searched design",
        ),
    ],
)
def test_the_headline_answers_fusion_first_and_searching_second(
    tmp_path: Path, designs: list[tuple[str, float, str | None]], headline: str
) -> None:
    found = judge(Findings(planted_trials(tmp_path, designs)))
    assert re.match(headline, found.headline), found.headline


def test_each_answer_is_one_sentence_with_its_interval(tmp_path: Path) -> None:
    found = judge(Findings(planted_trials(tmp_path, [SINGLE, (FUSED, 1.0, "late"), (OTHER, 3.0, None)])))
    fusion, search, pick, confirm = found.sentences
    assert fusion.startswith(
        "Fusion: from the best single modality (rna alone, trial 0) to the best design that fuses (trial 2), AUROC gains +0."
    )
    assert "90 % interval" in fusion
    assert search.startswith(
        "Searching: from the best reference (late fusion, trial 1) to the best design beyond the references (trial 2), AUROC gains +0."
    )
    assert pick.startswith(
        "Recommended: trial 2 at 3.00\u202fk MACs, the cheapest design within one standard error of the best, fold by fold: AUROC 0."
    )
    assert "after selection" in pick
    assert "3 designs were compared on validation data" in confirm


def test_one_fold_cannot_tell_which_designs_are_as_good(tmp_path: Path) -> None:
    found = judge(Findings(planted_trials(tmp_path, [SINGLE, (FUSED, 1.0, "late"), (OTHER, 1.2, None)], folds=1)))
    assert "the best, as one fold cannot tell which designs are as good" in found.sentences[2]


def test_a_smaller_error_is_said_to_be_better(tmp_path: Path) -> None:
    designs = [SINGLE, (FUSED, 3.0, "late")]
    found = judge(Findings(planted_trials(tmp_path, designs, objectives=("log_loss", "macs"))))
    assert "log loss gains +0." in found.sentences[0]
    assert "where above 0 is better" in found.sentences[0]


def test_without_predictions_nothing_is_claimed(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, [SINGLE, (FUSED, 3.0, None)])
    predictions_file(tmp_path, "candidate0").unlink()
    found = judge(Findings(trials))
    assert found.headline == "What fusion buys, and what searching added, cannot be told: no predictions of trial 0 were kept."
    assert found.sentences[0] == "Fusion: not estimable, no predictions of trial 0 were kept."
    assert "as the search saw it, which is too good by the luck of the choice" in found.sentences[2]


def test_a_search_cut_short_says_so_first(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, [SINGLE, (FUSED, 3.0, None)])
    cut = replace(trials, driver={"state": "stopped", "host": "here", "pid": 1})
    assert judge(Findings(cut)).headline.startswith("So far (2 of 10 trials, the search has not finished): Fusion helps")


def test_nothing_finished(tmp_path: Path) -> None:
    assert judge(Findings(planted_trials(tmp_path, []))).headline == "No trial has finished, so there is nothing to recommend."


@pytest.mark.parametrize(("objective", "best"), [("auroc", "late fusion, 0.850"), ("log_loss", "early fusion, 0.750")])
def test_the_best_reference_on_the_test_split_follows_the_direction(tmp_path: Path, objective: str, best: str) -> None:
    designs = tuple(Confirmed(role, 0, "graph0", None, value) for role, value in [("early", 0.75), ("late", 0.85), ("front", 0.99)])
    trials = planted_trials(tmp_path, [SINGLE], objectives=(objective,))
    found = Findings(trials, looks=[Look(1, 57, designs, None)])
    assert f"the best reference there, {best}" in " ".join(judge(found).sentences)
