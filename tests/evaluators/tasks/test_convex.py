import numpy as np
import pytest
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.model_selection import StratifiedKFold

from fusearch.evaluators.tasks.convex import STRENGTHS, logistic, ridge


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("num_classes", [2, 3])
@pytest.mark.parametrize("columns", [4, 120])
@pytest.mark.parametrize("balanced", [False, True])
def test_it_is_the_logistic_regression_of_scikit_learn_also_with_more_columns_than_rows(num_classes, columns, balanced):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, columns))
    y = np.digitize(X[:, 0] + rng.normal(size=80), np.linspace(-0.8, 0.8, num_classes + 1)[1:-1])
    weight, bias = logistic(X, y, num_classes, balanced=balanced)
    splits = StratifiedKFold(5, shuffle=True, random_state=0)
    options = {"class_weight": "balanced" if balanced else None, "l1_ratios": (0.0,), "use_legacy_attributes": False, "tol": 1e-8}
    model = LogisticRegressionCV(Cs=STRENGTHS, cv=splits, scoring="neg_log_loss", max_iter=10_000, **options).fit(X, y)
    np.testing.assert_allclose(softmax(X @ weight.T + bias), model.predict_proba(X), atol=2e-3)


def test_noise_is_shrunk_to_the_shares_of_the_classes():
    rng = np.random.default_rng(0)
    weight, bias = logistic(rng.normal(size=(100, 300)), np.repeat([0, 1], [70, 30]), 2, balanced=False)
    fresh = softmax(rng.normal(size=(50, 300)) @ weight.T + bias)
    assert np.abs(fresh[:, 1] - 0.3).max() < 0.1


def test_a_class_without_rows_is_never_said():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    weight, bias = logistic(X, np.where(X[:, 0] > 0, 2, 0), 4, balanced=False)
    said = softmax(X @ weight.T + bias)
    assert said[:, [1, 3]].max() < 1e-6
    assert ((said.argmax(axis=1) == 2) == (X[:, 0] > 0)).mean() > 0.9
    only = softmax(X @ logistic(X, np.full(40, 1), 2, balanced=False)[0].T + logistic(X, np.full(40, 1), 2, balanced=False)[1])
    assert only[:, 1].min() > 0.999


def test_a_class_with_one_row_needs_no_folds():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    weight, _ = logistic(X, np.array([0, 0, 0, 1]), 2, balanced=False)
    assert weight[1, 0] > 0


@pytest.mark.parametrize("columns", [3, 90])
def test_it_is_the_ridge_regression_of_scikit_learn(columns):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, columns))
    y = X[:, 0] + 5 + rng.normal(size=60)
    weight, bias = ridge(X, y)
    model = RidgeCV(alphas=1 / STRENGTHS[::-1]).fit(X, y)
    np.testing.assert_allclose(X @ weight[0] + bias, model.predict(X), rtol=1e-6)
