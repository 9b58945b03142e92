import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from fusearch.evaluators.tasks import bind_task
from fusearch.evaluators.tasks.convex import STRENGTHS, logistic, minimized, one_each, ridge
from fusearch.tasks.survival import DiscreteSurvival, Survival


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


@pytest.mark.parametrize("columns", [3, 90])
@pytest.mark.parametrize("balanced", [False, True])
def test_several_labels_have_a_logistic_regression_each(columns, balanced):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, columns))
    Y = (X[:, :2] + rng.normal(size=(60, 2)) > [0.0, 0.8]).astype(np.float32)
    weight, bias = one_each(3, balanced=balanced)(X, np.column_stack([Y, np.zeros(60)]))(0.1)
    logits = X @ weight.T + bias
    for label in range(2):
        model = LogisticRegression(C=0.1, class_weight="balanced" if balanced else None, tol=1e-8, max_iter=10_000).fit(X, Y[:, label])
        np.testing.assert_allclose(logits[:, label], model.decision_function(X), atol=2e-2)
    assert logits[:, 2].max() < -20, "a label that no row has is never said"


def survival_rows(columns):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, columns))
    times = np.ceil(rng.exponential(np.exp(-X[:, 0])) * 5)  # some are tied
    return X, np.stack([times, rng.random(60) < 0.7], axis=1).astype(np.float32)


@pytest.mark.parametrize("columns", [3, 90])
def test_it_is_the_ridge_cox_regression_of_scikit_survival(columns):
    sksurv = pytest.importorskip("sksurv.linear_model", reason="needs fusearch[survival]")
    X, targets = survival_rows(columns)
    layer, strength = bind_task(Survival("time", ("3", "8"))), 0.05
    weight, bias = layer.solver(balanced=False)(X, targets)(strength)
    assert bias.tolist() == [0.0]
    events = targets[:, 1].sum()
    # Theirs is the sum over events, over N, plus alpha / 2N |w|^2; ours N times the mean over events.
    model = sksurv.CoxPHSurvivalAnalysis(alpha=events / (strength * len(X)), ties="efron", tol=1e-12)
    model.fit(X, np.array([(event == 1, time) for time, event in targets], dtype=[("event", bool), ("time", float)]))
    np.testing.assert_allclose(X @ weight[0], X @ model.coef_, atol=5e-3)


@pytest.mark.parametrize("columns", [3, 90])
def test_what_is_minimized_has_no_slope(columns):
    X, targets = survival_rows(columns)
    layer = bind_task(DiscreteSurvival("time", ("3", "8")))
    weight, bias = (torch.tensor(each, requires_grad=True) for each in layer.solver(balanced=False)(X, targets)(0.1))
    total = 0.1 * 60 * layer.loss(torch.as_tensor(X) @ weight.T + bias, torch.as_tensor(targets)) + weight.square().sum() / 2
    for slope in torch.autograd.grad(total, [weight, bias]):
        assert slope.abs().max() < 1e-2
    plain = minimized(layer.loss, 2, biased=False)(X, targets)(0.1)
    assert plain[1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("strength", STRENGTHS[:3])
def test_under_a_strong_pull_weights_are_small_and_not_nothing(strength):
    X, targets = survival_rows(3)
    X = X * 0.05  # such as scores of streams that have learned little
    layer = bind_task(DiscreteSurvival("time", ("3", "8"))).fit(targets)  # at the start only the weights have a slope
    weight, bias = (torch.tensor(each, requires_grad=True) for each in layer.solver(balanced=False)(X, targets)(strength))
    pulled = strength * 60 * layer.loss(torch.as_tensor(X) @ weight.T + bias, torch.as_tensor(targets))
    (slope,) = torch.autograd.grad(pulled, weight)
    np.testing.assert_allclose(weight.detach(), -slope, rtol=0.02)  # the weights of least loss and pull
