"""One reading of a run: how trials are ranked, and which of them count. Front, picks and status are in test_run.py."""

import math

from fusearch.contracts import Objective
from fusearch.study import TrialRecord
from fusearch.trials import Trials, best_of_each, point_of, ranked


def trial(number, auroc, macs, graph="g"):
    return TrialRecord(number=number, state="complete", digest=graph, objectives={"macs": macs, "auroc": auroc})


def test_trials_are_ranked_by_the_primary_objective_then_the_others_then_the_earliest():
    objectives = [Objective.parse("macs"), Objective.parse("auroc")]
    records = [trial(0, 0.8, 1), trial(1, 0.9, 20), trial(3, 0.9, 10), trial(2, 0.9, 10)]
    assert [record.number for record in ranked(records, objectives)] == [2, 3, 1, 0]
    assert ranked([], objectives) == []


def test_the_best_of_each_group_comes_in_the_order_of_rank():
    records = [trial(0, 0.7, 1, "a"), trial(1, 0.8, 1, "b"), trial(2, 0.9, 1, "a")]
    best = best_of_each(records, [Objective.parse("auroc")], lambda record: record.digest)
    assert [(group, record.number) for group, record in best.items()] == [("a", 2), ("b", 1)]


def test_a_point_has_the_values_in_the_order_of_the_objectives():
    assert point_of(trial(0, 0.7, 5), [Objective.parse("auroc"), Objective.parse("macs")]) == [0.7, 5]


def test_values_that_are_not_finite_do_not_count():
    records = [trial(0, math.nan, 5), trial(1, 0.7, math.inf), trial(2, 0.6, 4)]
    trials = Trials(records, (Objective.parse("auroc"), Objective.parse("macs")))
    assert [record.number for record in trials.evaluated] == [record.number for record in trials.front] == [2]
