from __future__ import annotations

import numpy as np
import pytest

from fusearch.metrics import METRICS

SCORES = np.array([[0.5, 3.0], [1.0, 0.0], [0.0, 6.0]])


@pytest.mark.parametrize(("name", "mean", "direction"), [("dice", 0.5, "maximize"), ("hd95", 3.0, "minimize")])
def test_they_are_means_of_what_samples_scored(name: str, mean: float, direction: str) -> None:
    metric, targets = METRICS[name], np.zeros((3, 2))
    assert metric(targets, SCORES) == mean
    assert metric.direction == direction
    weights = np.array([[1, 0], [1, 2], [1, 1]], float)
    twice = np.array([mean, metric(targets, SCORES[[1, 1, 2]])])
    np.testing.assert_allclose(metric.on_draws(targets, SCORES, weights), twice)
