"""Metrics against their definitions, and what they do in folds that lack a class."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusearch.contracts import KNOWN_DIRECTIONS
from fusearch.data.task import METRICS
from fusearch.evaluators.metrics import classification_metrics, regression_metrics, summarize, worst_missing

TARGETS = np.array([0, 0, 1, 1, 1])
PROBABILITIES = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.6, 0.4], [0.2, 0.8]])


def test_the_names_are_those_of_the_task_and_have_a_direction() -> None:
    assert tuple(classification_metrics(PROBABILITIES, TARGETS)) == METRICS["classification"]
    assert tuple(regression_metrics(np.arange(3.0), np.arange(3.0))) == METRICS["regression"]
    assert {*METRICS["classification"], *METRICS["regression"]} <= set(KNOWN_DIRECTIONS)


def test_two_classes_by_hand() -> None:
    found = classification_metrics(PROBABILITIES, TARGETS)
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["balanced_accuracy"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found["auroc"] == pytest.approx(5 / 6)  # of six pairs (one of each class) five are in order
    assert found["f1_macro"] == pytest.approx((0.5 + 2 / 3) / 2)
    assert found["mcc"] == pytest.approx((2 * 1 - 1 * 1) / math.sqrt(3 * 3 * 2 * 2))
    assert found["log_loss"] == pytest.approx(-np.mean(np.log([0.9, 0.4, 0.7, 0.4, 0.8])))
    assert found["brier"] == pytest.approx(np.mean(np.square([0.1, 0.6, 0.3, 0.6, 0.2])))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_ranking_metrics_of_many_classes_are_the_mean_over_one_versus_rest(seed: int, classes: int) -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), size=40)
    targets = np.arange(40) % classes
    found = classification_metrics(probabilities, targets)
    expected = roc_auc_score(targets, probabilities[:, 1]) if classes == 2 else roc_auc_score(targets, probabilities, multi_class="ovr")
    assert found["auroc"] == pytest.approx(expected)
    assert 0 <= found["brier"] <= 2


def test_a_class_that_the_fold_lacks_is_left_out_of_the_averages() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.4, 0.3, 0.3], [0.3, 0.6, 0.1]])
    found = classification_metrics(probabilities, np.array([0, 1, 0, 1]))
    assert found["auroc"] == found["balanced_accuracy"] == found["f1_macro"] == 1.0
    assert all(math.isfinite(value) for value in found.values())


def test_with_one_class_alone_nothing_can_be_ranked() -> None:
    found = classification_metrics(PROBABILITIES, np.ones(5, dtype=int))
    assert all(math.isnan(found[name]) for name in ("auroc", "auprc", "mcc"))
    assert found["accuracy"] == pytest.approx(3 / 5)


def test_regression_by_hand() -> None:
    found = regression_metrics(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 5.0]))
    assert found["rmse"] == pytest.approx(math.sqrt(2 / 3))
    assert found["mae"] == pytest.approx(2 / 3)
    assert found["r2"] == pytest.approx(1 - 2 / 8)
    assert found["spearman"] == pytest.approx(1.0)


def test_predictions_that_do_not_vary_rank_nothing() -> None:
    assert regression_metrics(np.ones(3), np.arange(3.0))["spearman"] == 0.0
    assert math.isnan(regression_metrics(np.arange(3.0), np.ones(3))["spearman"])


def test_the_summary_is_over_the_members_where_the_metric_is_defined() -> None:
    mean, spread, undefined = summarize([{"x": 1.0, "y": math.nan}, {"x": 3.0, "y": math.nan}, {"x": math.nan, "y": math.nan}])
    assert mean == {"x": 2.0}
    assert spread == {"x": pytest.approx(math.sqrt(2))}
    assert undefined == ["y"]
    assert summarize([{"x": 1.0}])[1] == {"x": 0.0}


def test_the_worst_missing_modality_knows_the_direction() -> None:
    assert worst_missing([{"auroc": 0.9, "log_loss": 0.2}, {"auroc": 0.7, "log_loss": 0.1}]) == {
        "worst_missing_auroc": 0.7,
        "worst_missing_log_loss": 0.2,
    }
    assert worst_missing([]) == {}
