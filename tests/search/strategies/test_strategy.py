"""What a strategy asks of an evaluator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fusearch.errors import RunError
from fusearch.search.strategies import Decision, ForwardTiming, LateEnsemble, ParetoEnsemble, Strategy
from fusearch.search.strategies.strategy import check_evaluator

Drawn = Callable[..., Any]


def test_an_evaluator_that_keeps_weights_and_has_the_metric_will_do(drawn: Drawn) -> None:
    check_evaluator("mine", drawn(), metric="accuracy", metrics_of="classes")
    with pytest.raises(RunError, match="strategy 'mine' needs classes: the evaluator does not compute 'auroc'"):
        check_evaluator("mine", drawn(), metric="auroc", metrics_of="classes")
    with pytest.raises(RunError, match="strategy 'mine' goes on from trained weights, but evaluator function has no"):
        check_evaluator("mine", lambda *_: {}, metric="accuracy", metrics_of="classes")


def test_settings_are_told_for_the_configuration() -> None:
    strategies: list[Strategy] = [ParetoEnsemble(), LateEnsemble(), ForwardTiming()]
    assert [strategy.name for strategy in strategies] == ["pareto-ensemble", "late-ensemble", "forward-timing"]
    assert strategies[0].describe()["subsets"]["rules"] == {"required": None, "max_per_modality": 3, "sizes": "any"}
    assert strategies[1].describe()["subsets"]["rules"]["sizes"] == "odd"
    assert strategies[2].describe()["operator"] == "film"


def test_a_decision_needs_no_arrays() -> None:
    assert Decision("0123456789ab", {"why": "it is the only one"}).arrays == {}
