from fusearch.contracts import Objective
from fusearch.ranking import best_of_each, is_near, ranked
from fusearch.study import TrialRecord

AUROC, MACS, LOSS = (Objective.parse(name) for name in ("auroc", "macs", "log_loss"))


def trial(number, auroc, macs=1, graph="g", **values):
    return TrialRecord(number=number, state="complete", digest=graph, objectives={"macs": macs, "auroc": auroc}, values=values)


def numbers(records):
    return [record.number for record in records]


def test_trials_are_ranked_by_the_primary_objective_then_the_others_then_the_earliest():
    records = [trial(0, 0.8, 1), trial(1, 0.9, 20), trial(3, 0.9, 10), trial(2, 0.9, 10)]
    assert numbers(ranked(records, [MACS, AUROC])) == [2, 3, 1, 0]
    assert ranked([], [MACS, AUROC]) == []


def test_the_direction_is_followed():
    assert numbers(ranked([trial(number, 0.5, value) for number, value in enumerate([3, 1, 2])], [MACS])) == [1, 2, 0]


def test_several_criteria_count_by_the_sum_of_ranks_and_equals_go_by_the_primary_objective():
    records = [trial(0, 0.9, log_loss=0.9), trial(1, 0.8, log_loss=0.1), trial(2, 0.7, log_loss=0.2), trial(3, 0.95)]
    assert numbers(ranked(records, [AUROC], [AUROC, LOSS])) == [1, 3, 0, 2]  # sums 2, 3, 3, 4; a trial without a loss has the last rank
    assert numbers(ranked(records, [AUROC], [LOSS])) == [1, 2, 0, 3]


def test_the_best_of_each_group_comes_in_the_order_of_rank():
    best = best_of_each([trial(2, 0.9, graph="a"), trial(1, 0.8, graph="b"), trial(0, 0.7, graph="a")], lambda record: record.digest)
    assert [(group, record.number) for group, record in best.items()] == [("a", 2), ("b", 1)]


def folds(*values):
    members = [{"fold": fold, "metrics": {"auroc": value}} for fold, value in enumerate(values)]
    return TrialRecord(number=0, state="complete", objectives={"auroc": sum(values) / len(values)}, details={"members": members})


def test_near_is_a_standard_error_of_the_difference():
    best = folds(0.9, 0.7, 0.8)
    assert is_near(folds(0.88, 0.72, 0.77), best, AUROC)  # behind by 0.01, with an error of 0.015
    assert not is_near(folds(0.89, 0.69, 0.79), best, AUROC)  # behind by 0.01 in each fold, though the best has an error of 0.06
    assert is_near(best, best, AUROC)
