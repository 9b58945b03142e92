from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from fusearch.contracts import Objective
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.looks import Confirmed, Look
from fusearch.reports.findings.verdict import Verdict, expected_luck, gain_error, judge
from fusearch.study import TrialRecord
from fusearch.trials import Trials

AUROC, MACS = Objective.parse("auroc"), Objective.parse("macs")


def trial(number: int, auroc: float, *, spread: float | None = 0.02, members: object = 4, role: str | None = None) -> TrialRecord:
    values = {"auroc": auroc, "macs": 1000.0 * (number + 1)}
    return TrialRecord(
        f"design {number}",
        f"graph{number}",
        f"candidate{number}",
        number=number,
        state="complete",
        objectives=values,
        values=values,
        spread={} if spread is None else {"auroc": spread},
        details={"members": members},
        reference=role,
    )


def verdict(records: Sequence[TrialRecord], objectives: Sequence[Objective] = (AUROC, MACS)) -> Verdict:
    return judge(Findings(Trials(records, tuple(objectives))))


def test_a_gain_above_one_standard_error_wins() -> None:
    late, best = trial(0, 0.85, role="late"), trial(1, 0.90)
    found = verdict([late, best])
    assert (found.outcome, found.role) == ("search wins", "late")
    assert found.gain == pytest.approx(0.05)
    assert found.error == pytest.approx(math.hypot(0.01, 0.01))
    assert (
        found.headline
        == "A searched design beats every reference: AUROC 0.900\u00a0±\u00a00.020 against 0.850\u00a0±\u00a00.020 for late fusion."
    )
    assert found.sentences[0].startswith(
        "Recommended: trial 1, the cheapest design within one standard error of the best, with AUROC 0.900"
    )
    assert "3.5 standard errors" in found.sentences[1]


def test_a_gain_of_one_standard_error_or_less_is_no_clear_gain() -> None:
    found = verdict([trial(0, 0.890, role="late"), trial(1, 0.900)])
    assert found.outcome == "no clear gain"
    assert found.headline.startswith(
        "No clear gain over late fusion: the best searched design is 0.010 better at a standard error of 0.014"
    )


def test_without_spread_no_gain_is_clear() -> None:
    found = verdict([trial(0, 0.80, role="late", spread=None), trial(1, 0.95, spread=None)])
    assert found.outcome == "no clear gain"
    assert "no spread is known" in found.headline


def test_when_a_reference_wins_the_first_line_says_so() -> None:
    found = verdict([trial(0, 0.90, role="late"), trial(1, 0.80, role="early"), trial(2, 0.85)])
    assert found.outcome == "reference wins"
    assert found.headline.startswith("Late fusion wins: AUROC 0.900")


def test_when_one_modality_wins_the_first_line_says_not_to_fuse() -> None:
    found = verdict([trial(0, 0.90, role="best_unimodal"), trial(1, 0.85)])
    assert found.headline.startswith("Fusion does not pay here: the best single modality wins with AUROC 0.900")


def test_a_single_modality_counts_as_a_reference_also_where_the_search_proposed_it() -> None:
    modality = replace(trial(1, 0.90), formula="mrna:mlp; mrna@L ->")
    found = verdict([trial(0, 0.85, role="late"), modality, trial(2, 0.89)])
    assert (found.outcome, found.role, found.reference, found.best) == ("reference wins", "best_unimodal", modality, trial(2, 0.89))
    assert found.headline.startswith("Fusion does not pay here: the best single modality wins with AUROC 0.900")


def test_a_tie_is_won_by_the_reference() -> None:
    assert verdict([trial(0, 0.9, role="late"), trial(1, 0.9)]).outcome == "reference wins"


def test_a_loss_is_better_where_it_is_smaller() -> None:
    loss = Objective.parse("log_loss")
    records = [
        replace(trial(number, 0.5, role=role), objectives={"log_loss": value}, spread={"log_loss": 0.01})
        for number, (value, role) in enumerate([(0.4, "late"), (0.3, None)])
    ]
    found = verdict(records, objectives=[loss])
    assert (found.outcome, found.gain) == ("search wins", pytest.approx(0.1))


def test_nothing_finished_and_no_references() -> None:
    assert verdict([]).headline == "No trial has finished, so there is nothing to recommend."
    assert verdict([trial(0, 0.8)]).outcome == "no references"
    only = verdict([trial(0, 0.8, role="late")])
    assert only.outcome == "references only"
    assert only.headline.startswith("Late fusion leads")


def test_members_of_the_same_fold_and_seed_are_compared_pair_by_pair() -> None:
    hard = [0.70, 0.80, 0.90]  # how hard a fold is does not matter to the difference
    first = trial(
        0, 0.0, members=[{"fold": fold, "seed": 0, "metrics": {"auroc": value + 0.02 + 0.001 * fold}} for fold, value in enumerate(hard)]
    )
    second = trial(1, 0.0, members=[{"fold": fold, "seed": 0, "metrics": {"auroc": value}} for fold, value in enumerate(hard)])
    second.details["members"].reverse()  # in whatever order they ended
    error, pairs = gain_error(first, second, "auroc")
    assert pairs == 3
    assert error == pytest.approx(np.std([0.020, 0.021, 0.022], ddof=1) / math.sqrt(3))


def test_members_without_the_metric_are_not_paired() -> None:
    record = trial(0, 0.8, members=[{"fold": 0, "seed": 0, "metrics": {"auroc": None}}, {"fold": 1, "seed": 0, "metrics": {"auroc": 0.8}}])
    error, pairs = gain_error(record, record, "auroc")
    assert pairs == 0
    assert error == pytest.approx(math.hypot(0.02, 0.02) / math.sqrt(2))


@pytest.mark.parametrize("num_designs", [2, 10, 100])
def test_luck_is_the_mean_of_the_largest_of_that_many_draws(num_designs: int) -> None:
    drawn = np.random.default_rng(0).normal(size=(20_000, num_designs)).max(axis=1).mean()
    assert expected_luck(num_designs, 1.0) == pytest.approx(drawn, abs=0.03)
    assert expected_luck(num_designs, 0.01) == pytest.approx(expected_luck(num_designs, 1.0) / 100)
    assert expected_luck(1, 1.0) == 0.0


def test_a_gain_that_luck_can_give_is_called_so() -> None:
    records = [trial(0, 0.88, role="late"), *(trial(number, 0.85) for number in range(1, 60)), trial(60, 0.897)]
    found = verdict(records)
    assert found.outcome == "search wins"
    assert "The gain over the best reference is no larger than that." in found.sentences[-1]
    assert "61 designs were compared on validation data" in found.sentences[-1]


@pytest.mark.parametrize(("objective", "best"), [("auroc", "late fusion, 0.850"), ("log_loss", "early fusion, 0.750")])
def test_the_best_reference_on_the_test_split_follows_the_direction(objective: str, best: str) -> None:
    designs = tuple(Confirmed(role, 0, "graph0", None, value) for role, value in [("early", 0.75), ("late", 0.85), ("front", 0.99)])
    found = Findings(Trials((), (Objective.parse(objective),)), looks=[Look(1, 57, designs, None)])
    assert f"the best reference there, {best}" in " ".join(judge(found).sentences)
