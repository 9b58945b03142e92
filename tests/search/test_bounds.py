"""Bounds on what designs cost."""

import numpy as np

from fusearch.contracts import Objective
from fusearch.search.bounds import CheapBounds
from fusearch.settings import Settings


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
    bounds = CheapBounds(evaluator, [Objective.parse("auroc"), Objective.parse("macs<=1e6")], Settings())
    assert bounds.broken(candidate(space)) == "macs is 2e+06, bound <= 1e+06"
    assert not bounds.allows(candidate(space))
    assert evaluator.asked == 1


def test_costs_are_told_and_asked_for_once(space):
    evaluator = Costed(2e6)
    bounds = CheapBounds(evaluator, [Objective.parse("macs<=1e6")], Settings())
    assert [bounds.costs(candidate(space)), bounds.costs(candidate(space))] == [{"macs": 2e6}] * 2
    assert evaluator.asked == 1
    unknown = [CheapBounds(each, [], Settings()).costs(candidate(space)) for each in (Costed(None), lambda *_: {})]
    assert unknown == [{}, {}]


def test_a_broken_lower_bound_is_named_as_one(space):
    assert CheapBounds(Costed(5.0), [Objective.parse("macs:max>=10")], Settings()).broken(candidate(space)) == "macs is 5, bound >= 10"


def test_a_bound_that_is_kept(space):
    assert CheapBounds(Costed(1e6), [Objective.parse("macs<=1e6")], Settings()).allows(candidate(space))


def test_only_cheap_objectives_with_a_bound_count(space):
    assert CheapBounds(Costed(2e6), [Objective.parse("macs"), Objective.parse("macs_like:max>=0.9")], Settings()).allows(candidate(space))


def test_an_evaluator_that_knows_no_costs_allows_everything(space):
    assert CheapBounds(lambda candidate, budget, report: {}, [Objective.parse("macs<=1")], Settings()).allows(candidate(space))


def test_a_design_that_cannot_be_costed_is_left_to_the_evaluation(space):
    assert CheapBounds(Costed(None), [Objective.parse("macs<=1")], Settings()).allows(candidate(space))


class Sized(Costed):
    def cheap(self, candidate):
        return {"parameters": 4.9e9, "macs": 1.0, "memory": 2.0**31}


def test_what_is_too_large_for_the_settings_is_refused_unless_they_say_otherwise(space):
    def broken(**changes):
        return CheapBounds(Sized(1.0), [Objective.parse("auroc")], Settings(**changes)).broken(candidate(space))

    assert broken() == (
        "parameters is 4.9e+09, max_parameters is 1e+08: take smaller encoders or operators, or raise max_parameters (0: no bound)"
    )
    assert broken(max_parameters=1e10) == (
        "memory is 2.14748e+09, max_memory is 1.07374e+09: take smaller encoders or operators, or raise max_memory (0: no bound)"
    )
    assert broken(max_parameters=0, max_memory=0) is None
    assert broken(max_parameters=1e10, max_memory=2.0**31) is None


def test_a_bound_of_an_objective_is_named_before_one_of_the_settings(space):
    bounds = CheapBounds(Sized(1.0), [Objective.parse("memory<=1e9")], Settings())
    assert bounds.broken(candidate(space)) == "memory is 2.14748e+09, bound <= 1e+09"
