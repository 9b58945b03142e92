"""Which designs are ordered by luck so far."""

import pytest

from fusearch.contracts import Objective
from fusearch.inference.open_order import open_pairs, order_stands
from fusearch.study import TrialRecord
from fusearch.trials import Trials

SCORE, LOSS, MACS = Objective.parse("score:max"), Objective.parse("log_loss"), Objective.parse("macs")


def design(number, scores, macs=1.0, *, graph=None):
    mean = sum(scores) / len(scores)
    members = [{"fold": fold, "seed": 0, "metrics": {"score": value, "log_loss": -value}} for fold, value in enumerate(scores)]
    return TrialRecord(
        "",
        graph or f"g{number}",
        f"c{number}",
        number=number,
        state="complete",
        objectives={"score": mean, "macs": macs},
        values={"score": mean, "macs": macs, "log_loss": -mean},
        details={"members": members},
    )


@pytest.mark.parametrize(
    ("gains", "stands"),
    [
        ([0.02, 0.01, 0.03], True),  # mean 0.02, error 0.006
        ([0.05, -0.04, 0.02], False),  # mean 0.01, error 0.026
        ([-0.02, -0.01, -0.03], True),  # whichever is ahead
        ([0.0, 0.0, 0.0], False),  # nothing tells them apart
        ([0.01, 0.01, 0.01], True),
        ([0.5], False),  # one fold has no error
    ],
)
@pytest.mark.parametrize("metric", [SCORE, LOSS])
def test_an_order_stands_where_the_difference_is_larger_than_its_error(gains, stands, metric):
    second = design(1, [0.5] * len(gains))
    first = design(0, [0.5 + gain for gain in gains])
    assert order_stands(first, second, metric) is stands
    assert order_stands(second, first, metric) is stands


def test_an_order_that_no_fold_tells_is_no_matter_of_seeds():
    assert order_stands(design(0, [0.5, 0.6]), design(1, [0.5, 0.6]), MACS)


def test_folds_are_compared_in_pairs():
    """What is hard about a fold is so for both."""
    assert order_stands(design(0, [0.9, 0.5, 0.1]), design(1, [0.89, 0.485, 0.09]), SCORE)


def numbers(records, *objectives):
    return [(one.number, other.number) for one, other in open_pairs(Trials(records, objectives))]


def test_neighbours_on_the_front_are_compared_and_no_others():
    dear, middle, cheap = design(0, [0.9, 0.5, 0.7], 9.0), design(1, [0.6, 0.7, 0.7], 5.0), design(2, [0.3, 0.3, 0.4], 1.0)
    assert numbers([dear, middle, cheap], SCORE, MACS) == [(0, 1)]


def test_what_a_design_of_the_front_alone_keeps_off_it_is_compared_with_it():
    best, second, third = design(0, [0.9, 0.5, 0.7]), design(1, [0.6, 0.7, 0.7]), design(2, [0.7, 0.6, 0.69])
    assert numbers([best, second, third], SCORE) == [(0, 1)], "the third comes when one of them has fallen"
    dearer = design(3, [0.6, 0.8, 0.69], macs=2.0)
    assert numbers([best, dearer], SCORE, MACS) == [(0, 3)]
    far = design(4, [0.1, 0.1, 0.1])
    assert numbers([best, far], SCORE, MACS) == []


def test_another_recipe_of_a_graph_is_a_design_too():
    assert numbers([design(0, [0.9, 0.5, 0.7]), design(1, [0.6, 0.7, 0.7], graph="g0")], SCORE, MACS) == [(0, 1)]


def test_what_breaks_a_bound_takes_no_part():
    best, dear = design(0, [0.9, 0.5, 0.7]), design(1, [0.6, 0.7, 0.7], macs=9.0)
    assert numbers([best, dear], SCORE, Objective.parse("macs<=5")) == []
    assert numbers([], SCORE, MACS) == []
