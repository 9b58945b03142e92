import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from fusearch.evaluators.tasks.convex import STRENGTHS, logistic, ridge


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("strength", [1e-3, 1.0])
@pytest.mark.parametrize("num_classes", [2, 3])
@pytest.mark.parametrize("columns", [4, 120])
@pytest.mark.parametrize("balanced", [False, True])
def test_it_is_the_logistic_regression_of_scikit_learn_also_with_more_columns_than_rows(strength, num_classes, columns, balanced):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, columns))
    y = np.digitize(X[:, 0] + rng.normal(size=80), np.linspace(-0.8, 0.8, num_classes + 1)[1:-1])
    weight, bias = logistic(num_classes, balanced=balanced)(X, y)(strength)
    model = LogisticRegression(C=strength, class_weight="balanced" if balanced else None, tol=1e-8, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(softmax(X @ weight.T + bias), model.predict_proba(X), atol=2e-3)


def test_the_strongest_shrinks_noise_to_the_shares_of_the_classes():
    rng = np.random.default_rng(0)
    weight, bias = logistic(2, balanced=False)(rng.normal(size=(100, 300)), np.repeat([0, 1], [70, 30]))(STRENGTHS[0])
    fresh = softmax(rng.normal(size=(50, 300)) @ weight.T + bias)
    assert np.abs(fresh[:, 1] - 0.3).max() < 0.02


def test_a_class_without_rows_is_never_said():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    weight, bias = logistic(4, balanced=False)(X, np.where(X[:, 0] > 0, 2, 0))(1.0)
    said = softmax(X @ weight.T + bias)
    assert said[:, [1, 3]].max() < 1e-6
    assert ((said.argmax(axis=1) == 2) == (X[:, 0] > 0)).mean() > 0.9
    weight, bias = logistic(2, balanced=False)(X, np.full(40, 1))(1.0)
    assert softmax(X @ weight.T + bias)[:, 1].min() > 0.999


@pytest.mark.parametrize("columns", [3, 90])
def test_it_is_the_ridge_regression_of_scikit_learn(columns):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, columns))
    y = X[:, 0] + 5 + rng.normal(size=60)
    weight, bias = ridge()(X, y)(0.1)
    np.testing.assert_allclose(X @ weight[0] + bias, Ridge(alpha=10.0).fit(X, y).predict(X), rtol=1e-6)
