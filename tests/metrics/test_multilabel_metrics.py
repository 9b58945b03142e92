"""Metrics of several labels keep the laws of a metric."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss, roc_auc_score

from fusearch.metrics import METRICS
from fusearch.testing import MetricSuite


class Laws(MetricSuite):
    def cases(self) -> list[Any]:
        rng = np.random.default_rng(0)
        has = {rows: np.arange(rows)[:, None] % (2, 3, 4) == 0 for rows in (40, 5)}
        found = [(rng.permuted(have, axis=0).astype(np.float32), rng.random((rows, 3))) for rows, have in has.items()]
        return [*found, (np.zeros((6, 2), np.float32), rng.random((6, 2)))]

    def perfect(self, targets: Any, outputs: Any) -> Any:
        return targets.astype(float)


class TestMeanAUROC(Laws):
    name = "mean_auroc"


class TestMeanAUPRC(Laws):
    name = "mean_auprc"


class TestMeanF1(Laws):
    name = "mean_f1"


class TestMeanLogLoss(Laws):
    name = "mean_log_loss"


def test_they_are_means_over_the_labels_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    targets, said = rng.integers(0, 2, (50, 3)), rng.random((50, 3))
    columns = range(3)
    assert METRICS["mean_auroc"](targets, said) == pytest.approx(np.mean([roc_auc_score(targets[:, one], said[:, one]) for one in columns]))
    assert METRICS["mean_f1"](targets, said) == pytest.approx(f1_score(targets, said >= 0.5, average="macro"))
    assert METRICS["mean_log_loss"](targets, said) == pytest.approx(np.mean([log_loss(targets[:, one], said[:, one]) for one in columns]))


def test_a_label_that_does_not_vary_is_left_out_of_ranks() -> None:
    targets, said = np.array([[1, 1], [0, 1], [1, 1]]), np.array([[0.9, 0.1], [0.2, 0.5], [0.4, 0.6]])
    assert METRICS["mean_auroc"](targets, said) == 1.0
    assert np.isnan(METRICS["mean_auroc"](targets[:, 1:], said[:, 1:]))
