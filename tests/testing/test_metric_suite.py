"""The suite passes a metric that keeps the contract, and finds each way to break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from fusearch.metrics import METRICS, metric
from fusearch.testing import MetricSuite

LAWS = [name for name in dir(MetricSuite) if name.startswith("test_")]


def sure(targets: Any, outputs: Any) -> float:
    """Mean probability of the right class."""
    return float(outputs[np.arange(len(targets)), targets].mean())


class SureSuite(MetricSuite):
    name = "sure"


@pytest.fixture
def register() -> Iterator[Callable[..., None]]:
    def add(function: Any, **changed: Any) -> None:
        metric("sure", **{"direction": "maximize", "kinds": "classification", "summary": "surely", **changed})(function)

    yield add
    METRICS.remove("sure")


@pytest.mark.parametrize("law", LAWS)
def test_a_metric_that_keeps_the_contract_passes(register: Callable[..., None], law: str) -> None:
    register(sure)
    getattr(SureSuite(), law)()


def first_row_alone(targets: Any, outputs: Any) -> float:
    return sure(targets[:1], outputs[:1])


def sorts_in_place(targets: Any, outputs: Any) -> float:
    outputs.sort(axis=1)
    return sure(targets, outputs)


def undefined(targets: Any, outputs: Any) -> float:
    return float("nan")


def infinite(targets: Any, outputs: Any) -> float:
    return float("inf")


@pytest.mark.parametrize(
    ("function", "changed", "law"),
    [
        (first_row_alone, {}, "test_the_order_of_samples_does_not_matter"),
        (sorts_in_place, {}, "test_what_it_is_given_is_not_changed"),
        (undefined, {}, "test_it_is_a_number_and_defined_where_there_is_enough"),
        (infinite, {}, "test_it_is_a_number_and_defined_where_there_is_enough"),
        (sure, {"direction": "minimize"}, "test_the_direction_is_right"),
        (undefined, {"summary": ""}, "test_the_entry_says_what_it_is"),
    ],
)
def test_each_breach_is_found(register: Callable[..., None], function: Any, changed: dict[str, Any], law: str) -> None:
    register(function, **changed)
    with pytest.raises(Exception, match=r".") as found:
        getattr(SureSuite(), law)()
    assert not isinstance(found.value, AttributeError | NameError | TypeError)
