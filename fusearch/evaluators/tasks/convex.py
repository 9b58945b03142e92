"""Linear models solved to their optimum, by scikit-learn: L2 regularization, its strength chosen by cross-validation on the training rows.

Axis letters: N rows, D columns, K logits.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LinearMap", "logistic", "ridge"]

Floats = NDArray[np.float64]

#: Weight (K, D) and bias (K,) of logits.
LinearMap = tuple[Floats, Floats]

#: Inverse strengths of regularization that are tried.
STRENGTHS = np.logspace(-4, 2, 7)

_FOLDS = 5


def logistic(columns_ND: Floats, codes_N: NDArray[np.integer[Any]], num_classes: int, *, balanced: bool) -> LinearMap:
    """Fit a logistic regression, multinomial for more than two classes; its strength is the one of the least log loss.

    Args:
        columns_ND: What it reads.
        codes_N: Class of each row.
        num_classes: Number of logits; a class without a row gets a logit that no sample reaches.
        balanced: Whether rare classes weigh as much as frequent ones.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
    from sklearn.model_selection import StratifiedKFold

    reduced, basis_RD = _reduce(columns_ND)
    found, counts = np.unique(codes_N, return_counts=True)
    options: dict[str, Any] = {"class_weight": "balanced" if balanced else None, "max_iter": 1000}
    folds = min(_FOLDS, int(counts.min()))
    if folds < 2:
        model: Any = LogisticRegression(**options)
    else:
        splits = StratifiedKFold(folds, shuffle=True, random_state=0)
        choice = {"Cs": STRENGTHS, "cv": splits, "scoring": "neg_log_loss", "l1_ratios": (0.0,), "use_legacy_attributes": False}
        model = LogisticRegressionCV(**choice, **options)
    weight, bias = np.zeros((num_classes, columns_ND.shape[1])), np.full(num_classes, _NEVER)
    if len(found) < 2:
        bias[found] = 0.0
        return weight, bias
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough to the optimum for a reference
        model.fit(reduced, codes_N)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(found) == 2:
        coefficients, intercepts = np.concatenate([-coefficients, coefficients]) / 2, np.concatenate([-intercepts, intercepts]) / 2
    weight[found], bias[found] = coefficients @ basis_RD, intercepts
    return weight, bias


def ridge(columns_ND: Floats, targets_N: Floats) -> LinearMap:
    """Fit a ridge regression; its strength is the one of the least squared error of rows left out one by one."""
    from sklearn.linear_model import RidgeCV

    reduced, basis_RD = _reduce(columns_ND)
    model = RidgeCV(alphas=1.0 / STRENGTHS[::-1]).fit(reduced, targets_N)
    return np.atleast_2d(model.coef_) @ basis_RD, np.atleast_1d(np.asarray(model.intercept_, np.float64))


#: Logit of a class without a row among others near 0.
_NEVER = -30.0


def _reduce(columns_ND: Floats) -> tuple[Floats, Floats]:
    """Return fewer columns with the same solution, (N, R), and the way back, (R, D).

    Weights that are pulled towards 0 lie in the span of the rows, so with more columns than rows the coordinates in that span are enough.
    """
    num_rows, num_columns = columns_ND.shape
    if num_columns <= num_rows:
        return columns_ND, np.eye(num_columns)
    left, singular, right = np.linalg.svd(columns_ND, full_matrices=False)
    return left * singular, right
