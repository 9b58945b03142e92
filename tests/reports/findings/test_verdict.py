from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_runs import TEAMED, planted_trials

from fusearch.inference import correction_of
from fusearch.layout import predictions_file
from fusearch.reports import wording
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.looks import Confirmed, Look, OnTest
from fusearch.reports.findings.verdict import judge

FUSED, OTHER = "F1 = cat(rna@L, labs@L) ->", "F1 = mean(rna@L, labs@L) ->"
SINGLE = ("rna", 0.3, "best_unimodal")
#: The other modality alone: without it nothing is claimed for fusion.
LABS = ("labs", -1.0, "best_unimodal")


@pytest.mark.parametrize(
    ("designs", "headline"),
    [
        (
            [SINGLE, (FUSED, 1.0, "late"), (OTHER, 3.0, None), LABS],
            r"Fusion helps \(AUROC 0\.\d+ better than rna alone, trial 0\), and a searched design beats every simpler one\.",
        ),
        (
            [SINGLE, (FUSED, 2.0, "late"), (OTHER, 2.0, None), LABS],
            r"Fusion helps \(.*\), but searching found no clear gain over the simpler designs\.",
        ),
        (
            [("rna", 0.0, None), (FUSED, 0.0, "late"), (OTHER, 0.0, None)],
            r"No design is clearly better than a constant guess\. No clear gain from fusion, and searching found no clear gain over",
        ),
        (
            [("rna", 0.8, None), (FUSED, 0.8, "late"), (OTHER, 0.8, None)],
            r"No clear gain from fusion, and searching found no clear gain over the simpler designs\.",
        ),
        (
            [("rna", 3.0, None), (FUSED, 0.3, "late"), (OTHER, 0.3, None)],
            r"Fusion does not pay here \(AUROC 0\.\d+ worse than rna alone, trial 0\), and searching found nothing as good as",
        ),
        ([SINGLE, (FUSED, 2.0, "late"), LABS], r"Fusion helps \(.*\); what searching added cannot be told \(no design beyond the ref"),
        (
            [(FUSED, 0.3, "late"), (OTHER, 3.0, None)],
            r"What fusion buys cannot be told \(no single modality was evaluated\); what searching added cannot be told \(rna and labs",
        ),
    ],
)
def test_the_headline_answers_fusion_first_and_searching_second(
    tmp_path: Path, designs: list[tuple[str, float, str | None]], headline: str
) -> None:
    found = judge(Findings(planted_trials(tmp_path, designs)))
    assert re.match(headline, found.headline), found.headline


def test_each_answer_is_one_sentence_with_its_interval(tmp_path: Path) -> None:
    found = judge(Findings(planted_trials(tmp_path, [SINGLE, (FUSED, 1.0, "late"), (OTHER, 3.0, None), LABS])))
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
    assert "4 designs were compared on validation data" in confirm


def test_a_team_is_recommended_only_where_the_estimate_after_selection_says_so(tmp_path: Path) -> None:
    better = judge(Findings(planted_trials(tmp_path / "better", TEAMED, rows=900)))
    (line,) = [line for line in better.lines if line.key == "team"]
    assert line.outcome == "gain"
    assert line.sentence.endswith(": gain. Recommended where its cost is no matter: export it with `--pick team`.")
    noise = judge(Findings(planted_trials(tmp_path / "noise", [(formula, 0.0, None) for formula, _, _ in TEAMED], rows=120, seed=1)))
    (line,) = [line for line in noise.lines if line.key == "team"]
    assert line.sentence.endswith(": no clear gain. Not recommended.")


def test_what_the_recommended_design_is_picked_by_is_told_where_it_is_not_the_metric(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, [SINGLE, (FUSED, 1.0, "late"), (OTHER, 3.0, None), LABS], objectives=("auroc", "log_loss", "macs"))
    task = {"kind": "classification", "name": "target", "labels": ["no", "yes"]}
    trials = replace(trials, config={**trials.config, "evaluator": {"data": {"task": task}}})
    for select, by in (("metric", ""), ("loss", " by log loss"), ("both", " by AUROC and log loss")):
        pick = judge(Findings(replace(trials, select=select))).lines[2].sentence
        assert f"within one standard error of the best{by}, fold by fold" in pick


def test_the_threshold_of_an_export_is_told_with_what_it_is_worth(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, [SINGLE, (FUSED, 1.5, None), LABS], objectives=("f1_macro", "macs"))
    for number in range(3):  # a rare class
        path = predictions_file(tmp_path, f"candidate{number}")
        arrays = dict(np.load(path))
        rows = (arrays["targets"] == 0) | (np.arange(len(arrays["targets"])) % 6 == 0)
        odds = arrays["probabilities"][rows] * [0.9, 0.1]
        held = {name: values[rows] for name, values in arrays.items() if name != "probabilities"}
        np.savez(path, **held, probabilities=odds / odds.sum(axis=1, keepdims=True))
    found = Findings(trials)
    assert found.recommended is not None
    correction = correction_of(trials, [found.recommended])
    assert correction is not None
    scores = f"{wording.number(correction.score)} instead of {wording.number(correction.plain)}"
    told = {line.key: line.sentence for line in judge(found).lines}
    assert "macro F1 gains" in told["fusion"]
    assert told["fusion"].endswith("Chosen and scored on different rows, with the classes that an export takes.")
    assert "as the search saw it, of the most probable class)" in told["pick"]
    assert told["pick"].endswith(f"An export takes classes at a fitted threshold: {scores} on rows that it was not fitted on.")


def test_a_constant_guess_is_told_only_where_it_matters(tmp_path: Path) -> None:
    (constant, *_) = judge(Findings(planted_trials(tmp_path, [("rna", 0.0, None), (FUSED, 0.0, "late")]))).sentences
    assert constant.startswith("Constant: from guessing the same for everyone to the best design (")
    assert constant.endswith(": no clear gain.")


def test_one_fold_cannot_tell_which_designs_are_as_good(tmp_path: Path) -> None:
    found = judge(Findings(planted_trials(tmp_path, [SINGLE, (FUSED, 1.0, "late"), (OTHER, 1.2, None), LABS], folds=1)))
    assert "the best, as one fold cannot tell which designs are as good" in found.sentences[2]


def test_a_smaller_error_is_said_to_be_better(tmp_path: Path) -> None:
    designs = [SINGLE, (FUSED, 3.0, "late"), LABS]
    found = judge(Findings(planted_trials(tmp_path, designs, objectives=("log_loss", "macs"))))
    assert "log loss gains +0." in found.sentences[0]
    assert "where above 0 is better" in found.sentences[0]


def test_without_predictions_nothing_is_claimed(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, [SINGLE, (FUSED, 3.0, None), LABS])
    predictions_file(tmp_path, "candidate0").unlink()
    found = judge(Findings(trials))
    assert found.headline == "What fusion buys, and what searching added, cannot be told: no predictions of trial 0 were kept."
    assert found.sentences[0] == "Fusion: not estimable, no predictions of trial 0 were kept."
    assert "as the search saw it, which is too good by the luck of the choice" in found.sentences[2]


def test_nothing_is_claimed_for_fusion_where_a_modality_was_never_tried_alone(tmp_path: Path) -> None:
    found = judge(Findings(planted_trials(tmp_path, [SINGLE, (FUSED, 3.0, "late")])))
    assert found.headline.startswith("What fusion buys cannot be told (labs alone was not evaluated);")
    assert found.sentences[0] == "Fusion: not estimable, labs alone was not evaluated."


def test_a_search_cut_short_says_so_first(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, [SINGLE, (FUSED, 3.0, None), LABS])
    cut = replace(trials, driver={"state": "stopped", "host": "here", "pid": 1})
    assert judge(Findings(cut)).headline.startswith("So far (3 of 10 trials, the search has not finished): Fusion helps")


def test_a_search_for_cost_alone_says_nothing_of_how_good_its_design_is(tmp_path: Path) -> None:
    found = judge(Findings(planted_trials(tmp_path, [SINGLE, (FUSED, 3.0, "late")], objectives=("macs",))))
    (pick,) = [line for line in found.lines if line.key == "pick"]
    assert pick.sentence.endswith("the cheapest: searched was for cost alone, so nothing is said of how good it is.")


def test_nothing_finished(tmp_path: Path) -> None:
    assert judge(Findings(planted_trials(tmp_path, []))).headline == "No trial has finished, so there is nothing to recommend."


def look(difference: float, interval: tuple[float, float], outcome: str, p: float = 0.2) -> Look:
    designs = (Confirmed("picked", 2, "graph2", 0.9, 0.81), Confirmed("late", 1, "graph1", 0.8, 0.85))
    return Look(1, 57, designs, OnTest((1, 2), difference, interval, p, outcome), None)  # type: ignore[arg-type]


def test_the_look_is_told_against_the_reference_of_the_search(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, [SINGLE, (FUSED, 1.0, "late"), (OTHER, 3.0, None), LABS])
    found = judge(Findings(trials, looks=[look(0.04, (0.01, 0.07), "gain", 0.01)]))
    assert found.sentences[3] == (
        "On the test split (57 samples, look 1 of 1) the pick, trial 2, has AUROC 0.810; against late fusion, trial 1, the best reference "
        "of the search, it gains +0.040 (90 % interval +0.010 to +0.070): gain."
    )
    assert found.headline.startswith("Fusion helps")
    without = judge(Findings(trials, looks=[replace(look(0.1, (0, 1), "gain"), comparison=None)]))
    assert without.sentences[3] == "On the test split (57 samples, look 1 of 1) the pick, trial 2, has AUROC 0.810."


@pytest.mark.parametrize(
    ("seen", "turns"),
    [
        (look(-0.04, (-0.07, -0.01), "loss"), True),
        (look(-0.01, (-0.07, 0.05), "no clear gain"), True),
        (look(0.01, (-0.05, 0.07), "no clear gain"), False),
    ],
)
def test_a_look_that_speaks_against_a_claim_turns_the_headline(tmp_path: Path, seen: Look, turns: bool) -> None:
    trials = planted_trials(tmp_path, [SINGLE, (FUSED, 1.0, "late"), (OTHER, 3.0, None), LABS])
    headline = judge(Findings(trials, looks=[seen])).headline
    assert headline.startswith("The test split speaks against the pick: it is 0.0") == turns
    assert "Fusion helps" in headline


def test_a_pick_that_is_the_best_reference_is_called_so_and_turns_the_headline_only_by_a_loss(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, [SINGLE, (FUSED, 1.0, "late"), (OTHER, 3.0, "linear"), LABS])
    near = replace(look(-0.01, (-0.07, 0.05), "no clear gain"), picked_best_reference=True, interval=(0.75, 0.87))
    found = judge(Findings(trials, looks=[near]))
    assert found.headline.startswith("Fusion helps")
    assert found.notes[0] == (
        "On the test split (57 samples, look 1 of 1) the pick, trial 2, has AUROC 0.810 (90 % interval 0.750 to 0.870); it is itself the "
        "best reference of the search; against late fusion, trial 1, the next best one, it gains −0.010 (90 % interval −0.070 to +0.050): "
        "no clear gain."
    )
    lost = replace(look(-0.1, (-0.2, -0.05), "loss"), picked_best_reference=True)
    assert judge(Findings(trials, looks=[lost])).headline.startswith("The test split speaks against the pick")
    alone = replace(near, comparison=None)
    assert judge(Findings(trials, looks=[alone])).notes[0].endswith("reference of the search, and there is no other to compare it with.")


@pytest.mark.parametrize(("key", "first", "second"), [("fusion", 0, 2), ("search", 1, 2)])
def test_a_look_at_the_designs_of_a_claim_is_told_and_turns_the_headline(tmp_path: Path, key: str, first: int, second: int) -> None:
    trials = planted_trials(tmp_path, [SINGLE, (FUSED, 1.0, "late"), (OTHER, 3.0, None), LABS])
    better = look(0.04, (0.01, 0.07), "gain", 0.01)
    against = replace(better, answers={key: OnTest((first, second), -0.02, (-0.06, 0.01), 0.8, "no clear gain")})
    found = judge(Findings(trials, looks=[against]))
    called = {0: "rna alone, trial 0", 1: "late fusion, trial 1"}[first]
    turned = f"The test split speaks against it: AUROC is 0.020 worse there with trial 2 than with {called}. On validation: "
    assert found.headline.startswith(turned)
    assert f"({called}) to the best design " in found.notes[1]
    assert found.notes[1].endswith("AUROC gains −0.020 (90 % interval −0.060 to +0.010): no clear gain.")
    agrees = replace(better, answers={key: OnTest((first, second), 0.02, (-0.01, 0.06), 0.2, "no clear gain")})
    assert judge(Findings(trials, looks=[agrees])).headline.startswith("Fusion helps")


def test_a_simple_pick_that_is_a_little_behind_says_nothing_against_searching(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, [SINGLE, (FUSED, 1.0, "late"), (OTHER, 3.0, None), LABS])
    seen = look(-0.01, (-0.07, 0.05), "no clear gain")
    single = replace(seen, designs=(replace(seen.designs[0], trial=0, digest="graph0"), *seen.designs[1:]))
    assert judge(Findings(trials, looks=[single])).headline.startswith("Fusion helps")


def test_where_nothing_was_claimed_only_a_loss_turns_the_headline(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, [("rna", 0.8, None), (FUSED, 0.8, "late"), (OTHER, 0.8, None)])
    assert judge(Findings(trials, looks=[look(-0.01, (-0.07, 0.05), "no clear gain")])).headline.startswith("No clear gain")
    assert judge(Findings(trials, looks=[look(-0.1, (-0.2, -0.05), "loss")])).headline.startswith("The test split speaks against")
