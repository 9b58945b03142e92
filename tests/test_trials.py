"""One reading of a run: what trials are ranked by, and which of them count. Front, picks and status are in test_run.py."""

import math

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
    for how in ("loss", "both"):
        assert select(records, config={"search": {"select": how}}).criteria == (AUROC,)  # the search was told; no task is
        assert Objective.parse("log_loss") in select([], how).criteria  # nothing was evaluated so far, and the task trains it
    for trials in (
        select(records, "loss", {}),  # the run does not tell its task
        select([trial(0, 0.7, 5)], "loss"),  # no trial has the loss
        select(records, "loss", objectives=(MACS,)),
    ):
        with pytest.raises(RunError, match=r"select 'loss': the trials of run .* tell no loss to pick by; expected 'metric'"):
            trials.pick("best")
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


RACED = {"folds": 2, "num_folds": 4, "rival": 0, "chance": 0.01}


def stopped(number, auroc, **facts):
    """A trial that a race stopped after two of four folds, in which it was good."""
    members = [{"fold": fold, "seed": 0, "metrics": {"auroc": auroc, "log_loss": 0.01}} for fold in range(2)]
    held = {"raced": RACED, "reason": "stopped after fold 2 of 4", "details": {"members": members}, **facts}
    return TrialRecord(number=number, state="pruned", digest=f"g{number}", candidate=f"c{number}", **held)


@pytest.mark.parametrize("how", ["metric", "loss", "both"])
def test_what_a_race_stopped_reaches_no_front_reference_or_pick(how):
    done = [told(0, 0.8, 0.5, 9), told(1, 0.7, 0.6, 5), told(2, 0.6, 0.7, 3, reference="late")]
    without, trials = select(done, how), select([*done, stopped(3, 0.99), stopped(4, 0.99, repeat_of=3)], how)
    assert [record.number for record in trials.evaluated] == [record.number for record in without.evaluated]
    assert trials.front == without.front
    assert trials.references == without.references
    assert all(trials.pick(each) == without.pick(each) for each in ("simplest", "best", "knee", "best:auroc"))


def test_what_races_stopped_is_counted_apart_and_their_folds_too():
    trials = select([told(0, 0.8, 0.5, 9), told(1, 0.7, 0.6, 5), stopped(2, 0.6), stopped(3, 0.6, repeat_of=2)])
    assert {kind: count for kind, count in trials.counts.items() if count} == {"complete": 2, "raced": 1, "repeated": 1}
    assert [record.number for record in trials.raced] == [2]
    assert trials.races == {"stopped": 1, "saved": 2 / 12, "outrun": 0, "epochs": {}}
    assert trials.refused == {}
    assert trials.status()["races"] == trials.races
    assert select([]).races == {"stopped": 0, "saved": 0.0, "outrun": 0, "epochs": {}}


def test_recipes_that_were_outrun_reach_nothing_and_are_counted_by_epoch():
    raced = [{"epoch": epoch, "place": 3, "recipes": 4} for epoch in (40, 20, 40)]
    outrun = [stopped(number, 0.99, raced=each, details={}) for number, each in enumerate(raced, 2)]
    trials, without = select([told(0, 0.8, 0.5, 9), *outrun]), select([told(0, 0.8, 0.5, 9)])
    assert trials.races == {"stopped": 0, "saved": 0.0, "outrun": 3, "epochs": {"20": 1, "40": 2}}
    assert (trials.front, trials.refused, trials.counts["raced"]) == (without.front, {}, 3)
    assert trials.pick("best").number == 0
    assert all(record.partial("auroc") is None for record in outrun)


def test_what_is_known_of_a_stopped_design_is_a_mean_over_its_folds():
    assert stopped(2, 0.6).partial("auroc") == (pytest.approx(0.6), 2)
    assert stopped(2, 0.6).partial("f1_macro") is None
    assert told(0, 0.8, 0.5, 9).partial("auroc") is None
