"""Linear models solved to their optimum, by scikit-learn, for several strengths of L2 regularization.

Axis letters: N rows, D columns, K logits.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["STRENGTHS", "Floats", "LinearMap", "Solver", "logistic", "ridge"]

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
