"""The seams: objectives, evaluations, evaluators."""

import math
import pickle
from dataclasses import asdict
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusearch.contracts import (
    CHEAP_OBJECTIVES,
    COSTS,
    LOSS_SIGN,
    Budget,
    CheapEvaluator,
    Direction,
    Evaluation,
    Evaluator,
    Objective,
    costs,
    feasible,
    primary,
    read_objectives,
)
from fusearch.errors import EvaluationError, ObjectiveError

# Objectives


@pytest.mark.parametrize(
    ("text", "objective"),
    [
        ("auroc", Objective("auroc", "maximize")),
        ("macs", Objective("macs", "minimize", cheap=True)),
        ("macs<=1e6", Objective("macs", "minimize", 1e6, cheap=True)),
        (" macs <= 1e6 ", Objective("macs", "minimize", 1e6, cheap=True)),
        ("auroc>=0.8", Objective("auroc", "maximize", 0.8)),
        ("my_score:max", Objective("my_score", "maximize")),
        ("my_cost:minimize<=-2.5", Objective("my_cost", "minimize", -2.5)),
        ("auroc_without.rna", Objective("auroc_without.rna", "maximize")),
        ("worst_missing_log_loss", Objective("worst_missing_log_loss", "minimize")),
    ],
)
def test_objectives_are_read(text, objective):
    assert Objective.parse(text) == objective


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("aurok", "objective 'aurok': did you mean 'auroc'? (a metric of your own needs its direction: aurok:max or aurok:min)"),
        ("my_score", "a metric of your own needs its direction: my_score:max or my_score:min"),
        ("auroc<=0.8", "objective 'auroc<=0.8': a maximized quantity takes the bound >="),
        ("macs>=5", "objective 'macs>=5': a minimized quantity takes the bound <="),
        ("macs<=1e", "objective 'macs<=1e': the bound '1e' is not a number"),
        ("macs<=1e999", "objective 'macs': bound inf is not finite"),
        ("macs < 5", "objective 'macs < 5': expected NAME, NAME<=BOUND, NAME>=BOUND or NAME:max / NAME:min"),
        ("", "objective '': expected NAME"),
        ("auroc:up", "objective 'auroc:up': expected NAME"),
    ],
)
def test_what_is_no_objective_is_refused(text, message):
    with pytest.raises(ObjectiveError) as caught:
        Objective.parse(text)
    assert message in str(caught.value)


def test_a_direction_is_one_of_two():
    with pytest.raises(ObjectiveError, match="direction 'up', expected 'maximize' or 'minimize'"):
        Objective("auroc", "up")


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_bound_is_the_worst_value_allowed(value, bound):
    assert Objective("x", "maximize", bound).allows(value) == (value >= bound)
    assert Objective("x", "minimize", bound).allows(value) == (value <= bound)
    assert Objective("x", "minimize").allows(value)


def test_costs_are_minimized_and_the_cheap_ones_are_costs():
    assert CHEAP_OBJECTIVES < COSTS
    assert {Objective.parse(name).direction for name in COSTS} == {"minimize"}


directions = st.sampled_from(get_args(Direction))
values = st.floats(allow_nan=False, allow_infinity=False, width=32)


def test_more_is_better_where_a_quantity_is_maximized_and_less_where_it_is_minimized():
    auroc, macs = Objective("auroc", "maximize"), Objective("macs", "minimize")
    assert auroc.better(0.9, 0.8)
    assert not auroc.better(0.8, 0.9)
    assert macs.better(10, 20)
    assert not macs.better(20, 10)
    assert (auroc.loss(0.9), macs.loss(10)) == (-0.9, 10)
    assert (auroc.best([0.8, 0.9, 0.7]), macs.best([20, 10, 30])) == (0.9, 10)
    assert (auroc.gain(0.75, 0.5), macs.gain(10, 30), macs.gain(30, 10)) == (0.25, 20, -20)
    assert (auroc.aim, macs.aim) == ("more", "less")
    assert (auroc.sign, macs.sign) == (">=", "<=")


@given(directions, values, values)
def test_better_loss_gain_best_and_allows_agree(direction, first, second):
    objective = Objective("x", direction, bound=second)
    assert objective.better(first, second) == (objective.loss(first) < objective.loss(second)) == (objective.gain(first, second) > 0)
    assert not (objective.better(first, second) and objective.better(second, first))
    assert objective.loss(objective.loss(first)) == first
    assert not objective.better(second, objective.best([first, second]))
    assert objective.allows(first) == (not objective.better(second, first))


def test_what_is_not_a_number_keeps_no_bound():
    assert not Objective("auroc", "maximize", 0.5).allows(math.nan)
    assert not Objective("macs", "minimize", 5.0).allows(math.nan)


@given(st.sampled_from(["my_score", "auroc", "auroc_without.rna", "macs"]), directions, st.none() | st.floats(-1e9, 1e9))
def test_an_objective_is_read_back_from_its_text(name, direction, bound):
    objective = Objective(name, direction, bound, cheap=name in CHEAP_OBJECTIVES)
    assert Objective.parse(str(objective)) == objective


def test_the_text_of_an_objective_is_short():
    texts = ["auroc:max", "macs:min<=1e+06", "my_score:max>=-0.5", "macs:min<=1234567.0"]
    assert [str(Objective.parse(text)) for text in texts] == texts


def test_directions_are_those_that_a_metric_may_declare():
    assert set(LOSS_SIGN) == set(get_args(Direction))


def test_the_costs_are_the_known_ones_or_else_what_is_minimized_beside_the_primary_one():
    read = [Objective.parse(text) for text in ("auroc", "macs", "price:min", "speed:max", "brier")]
    auroc, macs, price, speed, brier = read
    assert costs(read) == [macs]
    assert costs([auroc, price, speed]) == [price]
    assert costs([brier, speed]) == []
    assert costs([macs]) == [macs]


def test_a_design_is_feasible_where_it_keeps_all_bounds():
    objectives = [Objective.parse("auroc>=0.7"), Objective.parse("macs<=100"), Objective.parse("brier")]
    assert feasible(objectives, [0.7, 100, 9.0])
    assert not feasible(objectives, [0.69, 100, 0.1])
    assert not feasible(objectives, [0.7, 101, 0.1])
    with pytest.raises(ValueError, match="shorter"):
        feasible(objectives, [0.7, 100])


def test_the_primary_objective_is_the_first_that_is_no_cost():
    macs, auroc, brier = (Objective.parse(name) for name in ("macs", "auroc", "brier"))
    assert primary([macs, auroc, brier]) == auroc
    assert primary([brier, auroc]) == brier
    assert primary([macs]) == macs


# Evaluations

names = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=5)


@given(st.dictionaries(names, st.floats(allow_nan=False, allow_infinity=False)))
def test_an_evaluation_is_the_mapping_of_its_metrics(metrics):
    evaluation = Evaluation.of(metrics)
    assert dict(evaluation) == metrics
    assert len(evaluation) == len(metrics)
    assert Evaluation.of(evaluation) == evaluation


@given(st.dictionaries(names, st.floats(), min_size=1))
def test_only_finite_values_pass(metrics):
    if all(math.isfinite(value) for value in metrics.values()):
        assert dict(Evaluation.of(metrics)) == metrics
    else:
        with pytest.raises(EvaluationError, match="expected a finite number"):
            Evaluation.of(metrics)


def test_numbers_of_any_kind_become_floats():
    evaluation = Evaluation.of({"a": 1, "b": np.float32(0.5), "c": np.int64(3), "d": True})
    assert {type(value) for value in evaluation.values()} == {float}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "an evaluator returned NoneType, expected a mapping from names to numbers"),
        (0.5, "an evaluator returned float"),
        ({"auroc": "high"}, "metric 'auroc' is 'high', expected a number"),
        ({"auroc": None}, "metric 'auroc' is None, expected a number"),
    ],
)
def test_what_is_no_evaluation_is_refused(result, message):
    with pytest.raises(EvaluationError) as caught:
        Evaluation.of(result)
    assert message in str(caught.value)


def test_spread_details_and_arrays_are_kept():
    given_ = Evaluation({"auroc": 1}, {"auroc": 0.1}, {"members": 5}, {"p": np.zeros(2)})
    taken = Evaluation.of(given_)
    assert (taken.spread, taken.details, taken.arrays) == (given_.spread, given_.details, given_.arrays)


def test_evaluations_travel():
    evaluation = Evaluation({"auroc": 0.9}, {"auroc": 0.1})
    assert pickle.loads(pickle.dumps(evaluation)) == evaluation


# Evaluators


def test_a_plain_function_is_an_evaluator_but_knows_no_costs():
    def evaluate(candidate, budget, report):
        return {}

    assert isinstance(evaluate, Evaluator)
    assert not isinstance(evaluate, CheapEvaluator)


def test_a_budget_is_whole_by_default():
    assert Budget() == Budget(epochs=None, members=None)


def test_objectives_of_a_configuration() -> None:
    objectives = (Objective.parse("auroc>=0.5"), Objective.parse("macs"))
    assert read_objectives([asdict(objective) for objective in objectives]) == objectives
    for entries in ([], "auroc", [{"name": "auroc"}], None, 3):
        with pytest.raises(ObjectiveError, match="expected a list of one or more, each with a name and a direction"):
            read_objectives(entries)
