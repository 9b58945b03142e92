"""Bounds on cheap objectives."""

import numpy as np

from fusearch.contracts import Objective
from fusearch.search.bounds import CheapBounds


class Costed:
    def __init__(self, macs):
        self.macs, self.asked = macs, 0

    def __call__(self, candidate, budget, report):
        return {"macs": self.macs}

    def cheap(self, candidate):
        self.asked += 1
        return {"macs": self.macs} if self.macs is not None else 1 / 0


def candidate(space):
    return space.sample(np.random.default_rng(0))


def test_a_broken_bound_is_named_and_asked_for_once(space):
    evaluator = Costed(2e6)
    bounds = CheapBounds(evaluator, [Objective.parse("auroc"), Objective.parse("macs<=1e6")])
    assert bounds.broken(candidate(space)) == "macs is 2e+06, bound <= 1e+06"
    assert not bounds.allows(candidate(space))
    assert evaluator.asked == 1


def test_a_broken_lower_bound_is_named_as_one(space):
    assert CheapBounds(Costed(5.0), [Objective.parse("macs:max>=10")]).broken(candidate(space)) == "macs is 5, bound >= 10"


def test_a_bound_that_is_kept(space):
    assert CheapBounds(Costed(1e6), [Objective.parse("macs<=1e6")]).allows(candidate(space))


def test_only_cheap_objectives_with_a_bound_are_asked_for(space):
    evaluator = Costed(2e6)
    assert CheapBounds(evaluator, [Objective.parse("macs"), Objective.parse("auroc>=0.9")]).allows(candidate(space))
    assert evaluator.asked == 0


def test_an_evaluator_that_knows_no_costs_allows_everything(space):
    assert CheapBounds(lambda candidate, budget, report: {}, [Objective.parse("macs<=1")]).allows(candidate(space))


def test_a_design_that_cannot_be_costed_is_left_to_the_evaluation(space):
    assert CheapBounds(Costed(None), [Objective.parse("macs<=1")]).allows(candidate(space))
