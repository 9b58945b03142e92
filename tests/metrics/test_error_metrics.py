"""Metrics of predicted numbers against their definitions, and what they do where nothing varies."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fusearch.metrics import METRICS, metrics_of
from fusearch.testing import MetricSuite

NAMES = ("mae", "r2", "rmse", "spearman")


def test_every_one_is_registered_for_regression_alone() -> None:
    assert [metric.name for metric in metrics_of("regression")] == list(NAMES)
    assert all(METRICS[name].kinds == ("regression",) for name in NAMES)
    assert [name for name in NAMES if METRICS[name].direction == "minimize"] == ["mae", "rmse"]


@pytest.mark.parametrize("name", NAMES)
class TestEveryMetric(MetricSuite):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.name = name


def test_by_hand() -> None:
    found = {name: METRICS[name](np.array([1.0, 3.0, 5.0]), np.array([1.0, 2.0, 4.0])) for name in NAMES}
    assert found["rmse"] == pytest.approx(math.sqrt(2 / 3))
    assert found["mae"] == pytest.approx(2 / 3)
    assert found["r2"] == pytest.approx(1 - 2 / 8)
    assert found["spearman"] == pytest.approx(1.0)


def test_predictions_that_do_not_vary_rank_nothing() -> None:
    assert METRICS["spearman"](np.arange(3.0), np.ones(3)) == 0.0
    assert math.isnan(METRICS["spearman"](np.ones(3), np.arange(3.0)))
    assert math.isnan(METRICS["r2"](np.ones(3), np.arange(3.0)))
