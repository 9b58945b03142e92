"""Metrics of probabilities against their definitions, and what they do in folds that lack a class."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusearch.metrics import METRICS, metrics_of
from fusearch.testing import MetricSuite

TARGETS = np.array([0, 0, 1, 1, 1])
PROBABILITIES = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.6, 0.4], [0.2, 0.8]])
NAMES = (
    "accuracy",
    "auprc",
    "auroc",
    "balanced_accuracy",
    "brier",
    "ece",
    "f1_macro",
    "log_loss",
    "mcc",
    "sensitivity",
    "specificity",
)


def scores(targets: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    return {name: METRICS[name](targets, probabilities) for name in NAMES}


def test_every_one_is_registered_for_classification_alone() -> None:
    assert [metric.name for metric in metrics_of("classification")] == list(NAMES)
    assert all(METRICS[name].kinds == ("classification",) for name in NAMES)
    assert [name for name in NAMES if METRICS[name].direction == "minimize"] == ["brier", "ece", "log_loss"]


@pytest.mark.parametrize("name", NAMES)
class TestEveryMetric(MetricSuite):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.name = name


def test_two_classes_by_hand() -> None:
    found = scores(TARGETS, PROBABILITIES)
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["balanced_accuracy"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found["auroc"] == pytest.approx(5 / 6)  # of six pairs (one of each class) five are in order
    assert found["f1_macro"] == pytest.approx((0.5 + 2 / 3) / 2)
    assert found["mcc"] == pytest.approx((2 * 1 - 1 * 1) / math.sqrt(3 * 3 * 2 * 2))
    assert found["log_loss"] == pytest.approx(-np.mean(np.log([0.9, 0.4, 0.7, 0.4, 0.8])))
    assert found["brier"] == pytest.approx(np.mean(np.square([0.1, 0.6, 0.3, 0.6, 0.2])))
    assert found["sensitivity"] == pytest.approx(2 / 3)  # of three positive samples two are above 0.5
    assert found["specificity"] == pytest.approx(1 / 2)
    # Two samples share the bin of 0.6, both wrong; the others stand alone in theirs and are right.
    assert found["ece"] == pytest.approx((abs(0.6 + 0.6) + (1 - 0.9) + (1 - 0.7) + (1 - 0.8)) / 5)


def test_the_threshold_is_one_half_and_a_tie_is_negative() -> None:
    probabilities = np.array([[0.5, 0.5], [0.499, 0.501], [0.501, 0.499]])
    assert METRICS["sensitivity"](np.array([1, 1, 1]), probabilities) == pytest.approx(1 / 3)
    assert METRICS["specificity"](np.array([0, 0, 0]), probabilities) == pytest.approx(2 / 3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_calibration_error_by_its_equation_and_recalls_by_scikit_learn(seed: int, classes: int) -> None:
    from sklearn.metrics import multilabel_confusion_matrix

    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), size=60)
    targets = rng.permutation(np.arange(60) % classes)
    found = scores(targets, probabilities)
    sure, hit, expected = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets, 0.0
    for number in range(15):
        inside = (sure > number / 15) & (sure <= (number + 1) / 15)
        if inside.any():
            expected += inside.sum() / 60 * abs(hit[inside].mean() - sure[inside].mean())
    assert found["ece"] == pytest.approx(expected)
    (tn, fp), (fn, tp) = multilabel_confusion_matrix(targets, probabilities.argmax(axis=1)).transpose(1, 2, 0)
    both = {"sensitivity": tp / (tp + fn), "specificity": tn / (tn + fp)}
    for name, by_class in both.items():
        assert found[name] == pytest.approx(by_class[1] if classes == 2 else by_class.mean())


def test_a_confidence_on_an_edge_belongs_to_the_bin_below() -> None:
    """Twelve fifteenths and a bit less share a bin, so that a hit and a miss weigh each other up; a bit more does not."""
    targets = np.array([1, 0])
    below = np.array([[3 / 15, 12 / 15], [0.21, 0.79]])
    above = np.array([[3 / 15, 12 / 15], [0.19, 0.81]])
    assert METRICS["ece"](targets, below) == pytest.approx((12 / 15 + 0.79 - 1) / 2)
    assert METRICS["ece"](targets, above) == pytest.approx((1 - 12 / 15 + 0.81) / 2)


def test_calibrated_outputs_have_a_small_calibration_error_and_overconfident_ones_a_large_one() -> None:
    rng = np.random.default_rng(0)
    positive = rng.uniform(size=20_000)
    targets = (rng.uniform(size=20_000) < positive).astype(int)
    sure = positive**3 / (positive**3 + (1 - positive) ** 3)
    honest, overconfident = (METRICS["ece"](targets, np.column_stack([1 - p, p])) for p in (positive, sure))
    assert honest < 0.02 < 0.1 < overconfident


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_ranking_metrics_of_many_classes_are_the_mean_over_one_versus_rest(seed: int, classes: int) -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), size=40)
    targets = np.arange(40) % classes
    found = scores(targets, probabilities)
    expected = roc_auc_score(targets, probabilities[:, 1]) if classes == 2 else roc_auc_score(targets, probabilities, multi_class="ovr")
    assert found["auroc"] == pytest.approx(expected)
    assert 0 <= found["brier"] <= 2


def test_a_class_that_the_fold_lacks_is_left_out_of_the_averages() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.4, 0.3, 0.3], [0.3, 0.6, 0.1]])
    found = scores(np.array([0, 1, 0, 1]), probabilities)
    assert found["auroc"] == found["balanced_accuracy"] == found["f1_macro"] == found["sensitivity"] == found["specificity"] == 1.0
    assert all(math.isfinite(value) for value in found.values())


def test_with_one_class_alone_nothing_can_be_ranked() -> None:
    found = scores(np.ones(5, dtype=int), PROBABILITIES)
    assert all(math.isnan(found[name]) for name in ("auroc", "auprc", "mcc", "specificity"))
    assert found["sensitivity"] == pytest.approx(3 / 5)
    assert found["accuracy"] == pytest.approx(3 / 5)


def test_no_fold_makes_scikit_learn_speak() -> None:
    """A warning of its would stand over the live line of a search; here it is an error."""
    for targets in ([0, 0, 0], [1, 1, 1], [0, 0, 1]):
        assert scores(np.array(targets), np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]))["accuracy"] == targets.count(0) / 3
