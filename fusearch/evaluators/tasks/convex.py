"""Linear models solved to their optimum for several strengths of L2 regularization: by scikit-learn, or from the loss itself.

Axis letters: N rows, D columns, K logits.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["STRENGTHS", "Floats", "LinearMap", "Solver", "logistic", "minimized", "one_each", "ridge"]

Floats = NDArray[np.float64]

#: Weight (K, D) and bias (K,) of logits.
LinearMap = tuple[Floats, Floats]

#: Columns (N, D) and targets (N,) to what gives the linear map of an inverse strength of regularization.
Solver = Callable[[Floats, NDArray[Any]], Callable[[float], LinearMap]]

#: The same in one step.
_Fit = Callable[[Floats, NDArray[Any], float], LinearMap]

#: Inverse strengths of regularization that are tried, the strongest first.
STRENGTHS = tuple(float(each) for each in np.logspace(-5, 1, 7))

#: Logit of a class without a row among others near 0.
_NEVER = -30.0


def logistic(num_classes: int, *, balanced: bool) -> Solver:
    """Return the solver of a logistic regression, multinomial for more than two classes.

    Args:
        num_classes: Number of logits; a class without a row gets one that no sample reaches.
        balanced: Whether rare classes weigh as much as frequent ones.
    """

    def solve(columns_ND: Floats, codes_N: NDArray[Any], strength: float) -> LinearMap:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        weight, bias = np.zeros((num_classes, columns_ND.shape[1])), np.full(num_classes, _NEVER)
        found = np.unique(codes_N)
        if len(found) < 2:
            bias[found] = 0.0
            return weight, bias
        model = LogisticRegression(C=strength, class_weight="balanced" if balanced else None, max_iter=100)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # near enough to the optimum for a reference
            model.fit(columns_ND, codes_N)
        coefficients, intercepts = model.coef_, model.intercept_
        if len(found) == 2:
            coefficients, intercepts = np.concatenate([-coefficients, coefficients]) / 2, np.concatenate([-intercepts, intercepts]) / 2
        weight[found], bias[found] = coefficients, intercepts
        return weight, bias

    return _in_the_span(solve)


def ridge() -> Solver:
    """Return the solver of a ridge regression."""

    def solve(columns_ND: Floats, targets_N: NDArray[Any], strength: float) -> LinearMap:
        from sklearn.linear_model import Ridge

        model = Ridge(alpha=1.0 / strength).fit(columns_ND, targets_N)
        return np.atleast_2d(model.coef_), np.atleast_1d(np.asarray(model.intercept_, np.float64))

    return _in_the_span(solve)


def one_each(num_labels: int, *, balanced: bool) -> Solver:
    """Return the solver of a logistic regression for each of several labels, each with the same strength.

    Args:
        num_labels: Columns of the targets, of 0 and 1.
        balanced: Whether the rarer side of a label weighs as much as the other.
    """
    one = logistic(2, balanced=balanced)

    def prepare(columns_ND: Floats, targets_NL: NDArray[Any]) -> Callable[[float], LinearMap]:
        each = [one(columns_ND, targets_NL[:, label].astype(np.int64)) for label in range(num_labels)]

        def solve(strength: float) -> LinearMap:
            weights, biases = zip(*(solved(strength) for solved in each), strict=True)
            return np.stack([weight[1] - weight[0] for weight in weights]), np.array([bias[1] - bias[0] for bias in biases])

        return solve

    return prepare


def minimized(loss: Callable[[Tensor, Tensor], Tensor], num_logits: int, *, biased: bool = True) -> Solver:
    """Return the solver of a convex loss of logits: N times the loss plus the squared weights over twice the inverse strength, by L-BFGS.

    Args:
        loss: The mean loss of logits (N, K) and targets.
        num_logits: K.
        biased: Whether logits have a bias; without one it stays 0, as of a hazard that is told up to a factor.
    """

    def solve(columns_ND: Floats, targets_N: NDArray[Any], strength: float) -> LinearMap:
        from scipy.optimize import minimize

        columns, targets = torch.as_tensor(columns_ND), torch.as_tensor(targets_N)
        size = num_logits * columns_ND.shape[1]
        scale = max(1.0, 1 / (strength * len(columns)))  # under a strong pull the loss would be below what L-BFGS takes for no change

        def objective(flat: Floats) -> tuple[float, Floats]:
            values = torch.tensor(flat, requires_grad=True)
            weight_KD, bias_K = values[:size].reshape(num_logits, -1), values[size:] * biased
            total = strength * len(columns) * loss(columns @ weight_KD.T + bias_K, targets) + weight_KD.square().sum() / 2
            total = scale * total
            (slope,) = torch.autograd.grad(total, values)
            return float(total.detach()), slope.numpy()

        with torch.enable_grad():
            found = minimize(
                objective, np.zeros(size + num_logits), jac=True, method="L-BFGS-B", options={"maxiter": 200, "ftol": 1e-10, "gtol": 1e-6}
            ).x
        return found[:size].reshape(num_logits, -1), found[size:] * biased

    return _in_the_span(solve)


def _in_the_span(solve: _Fit) -> Solver:
    """Let a solver see no more columns than rows: weights that are pulled towards 0 lie in the span of the rows, so its coordinates do."""

    def prepare(columns_ND: Floats, targets_N: NDArray[Any]) -> Callable[[float], LinearMap]:
        if columns_ND.shape[1] <= len(columns_ND):
            return lambda strength: solve(columns_ND, targets_N, strength)
        left, singular, right = np.linalg.svd(columns_ND, full_matrices=False)

        def back(strength: float) -> LinearMap:
            weight, bias = solve(left * singular, targets_N, strength)
            return weight @ right, bias

        return back

    return prepare
