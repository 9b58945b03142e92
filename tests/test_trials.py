"""One reading of a run: what trials are ranked by, and which of them count. Front, picks and status are in test_run.py."""

import math
from dataclasses import replace

import pytest

from fusearch.contracts import Objective
from fusearch.errors import RunError
from fusearch.study import TrialRecord
from fusearch.trials import Trials, point_of


def trial(number, auroc, macs, graph="g"):
    return TrialRecord(number=number, state="complete", digest=graph, objectives={"macs": macs, "auroc": auroc})


def test_a_point_has_the_values_in_the_order_of_the_objectives():
    assert point_of(trial(0, 0.7, 5), [Objective.parse("auroc"), Objective.parse("macs")]) == [0.7, 5]


def test_values_that_are_not_finite_do_not_count():
    records = [trial(0, math.nan, 5), trial(1, 0.7, math.inf), trial(2, 0.6, 4)]
    trials = Trials(records, (Objective.parse("auroc"), Objective.parse("macs")))
    assert [record.number for record in trials.evaluated] == [record.number for record in trials.front] == [2]


AUROC, MACS = Objective.parse("auroc"), Objective.parse("macs")
TOLD = {"evaluator": {"data": {"task": {"kind": "classification", "name": "target", "labels": ["a", "b"]}}}}


def told(number, auroc, log_loss, macs, **facts):
    """A trial that tells the loss too, with four folds that differ by nothing but a constant."""
    folds = [0.02, -0.02, 0.01, -0.01]
    members = [
        {"fold": fold, "seed": 0, "metrics": {"auroc": auroc + shift, "log_loss": log_loss - shift}} for fold, shift in enumerate(folds)
    ]
    return TrialRecord(
        number=number,
        state="complete",
        digest=f"g{number}",
        candidate=f"c{number}",
        objectives={"auroc": auroc, "macs": macs},
        values={"auroc": auroc, "log_loss": log_loss, "macs": macs},
        details={"members": members},
        **facts,
    )


def select(records, how=None, config=TOLD, objectives=(AUROC, MACS)):
    return Trials(records, objectives, config, select=how)


def test_what_designs_are_ranked_and_picked_by_is_asked_for_or_stands_in_the_configuration():
    records = [
        told(0, 0.90, 0.50, 9, reference="late"),
        told(1, 0.80, 0.30, 8, reference="late"),
        told(2, 0.88, 0.35, 7),
        told(3, 0.7, 0.6, 1),
        told(4, 0.85, 0.40, 6),
    ]
    orders = {how: [record.number for record in select(records, how).evaluated] for how in ("metric", "loss", "both")}
    assert orders == {"metric": [0, 2, 4, 1, 3], "loss": [1, 2, 4, 0, 3], "both": [2, 0, 1, 4, 3]}  # sums of ranks 2, 3, 3, 4, 8
    for how, order in orders.items():
        trials = select(records, how)
        assert trials.pick("best").number == trials.pick("simplest").number == order[0]
        assert trials.references["late"].number == trials.best_simple.number == (1 if how == "loss" else 0)
        assert select(records, config={**TOLD, "search": {"select": how}}).evaluated == trials.evaluated
        assert [record.number for record in trials.front] == [0, 2, 4, 3]  # what was optimized stays
        assert trials.pick("best:auroc").number == 0
    assert select(records).criteria == (AUROC,)


def test_the_simplest_is_near_the_best_in_all_that_designs_are_picked_by():
    records = [told(0, 0.90, 0.30, 9), told(1, 0.90, 0.90, 1), told(2, 0.90, 0.30, 5), told(3, 0.5, 0.30, 2)]
    assert [select(records, how).pick("simplest").number for how in ("metric", "loss", "both")] == [1, 3, 2]


def test_without_a_loss_that_is_told_the_metric_decides():
    records = [told(0, 0.90, 0.50, 9), told(1, 0.80, 0.30, 8)]
    assert select(records, "loss").criteria == (Objective.parse("log_loss"),)
    assert select(records, "loss", {}).criteria == (AUROC,)  # the run does not tell its task
    assert select([trial(0, 0.7, 5)], "both").criteria == (AUROC,)  # no trial has the loss
    assert select(records, "loss", objectives=(MACS,)).criteria == (MACS,)
    numbers = {"evaluator": {"data": {"task": {"kind": "regression", "name": "days"}}}}
    rmse = Objective.parse("rmse")
    error = TrialRecord(number=0, state="complete", objectives={"rmse": 1.0}, values={"rmse": 1.0})
    assert {select([error], how, numbers, (rmse,)).criteria for how in ("metric", "loss", "both")} == {(rmse,)}  # they agree
    loss = Objective.parse("log_loss")
    assert select(records, "both", objectives=(loss, MACS)).criteria == (loss,)


def test_an_unknown_selection_is_refused():
    with pytest.raises(RunError, match="select 'loos': did you mean 'loss'"):
        select([], "loos")
    with pytest.raises(RunError, match="select '7': expected one of"):
        select([], config={"search": {"select": 7}})


def test_status_counts_what_was_trained_in_the_loop_by_cause():
    packs = [{"members": 5}, {"loop": "no rule"}, {"loop": "no rule"}, {"loop": "a buffer"}]
    records = [replace(told(number, 0.8, 0.5, 9), details={"pack": pack}) for number, pack in enumerate(packs)]
    trials = Trials([*records, told(9, 0.8, 0.5, 9)], (AUROC, MACS), TOLD)
    assert trials.status()["in_the_loop"] == trials.in_the_loop == {"no rule": 2, "a buffer": 1}
