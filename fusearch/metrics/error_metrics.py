"""Metrics of predicted numbers, in the units of the targets, by scikit-learn and SciPy. Axis letter: N samples."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fusearch.metrics import weighted
from fusearch.metrics.entry import metric

__all__ = ["mae", "r2", "rmse", "spearman"]

Floats = NDArray[np.floating]


@metric("rmse", direction="minimize", kinds="regression", bounds=(0, math.inf), weighted=weighted.weighted_rmse)
def rmse(targets: Floats, predictions: Floats) -> float:
    """Root of the mean squared error."""
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(targets, predictions))


def _errors(targets: Floats, predictions: Floats) -> Floats:
    errors: Floats = np.abs(targets - predictions)
    return errors


@metric("mae", direction="minimize", kinds="regression", bounds=(0, math.inf), weighted=weighted.weighted_mean(_errors))
def mae(targets: Floats, predictions: Floats) -> float:
    """Mean absolute error."""
    from sklearn.metrics import mean_absolute_error

    return float(mean_absolute_error(targets, predictions))


@metric("r2", direction="maximize", kinds="regression", bounds=(-math.inf, 1), weighted=weighted.weighted_r2)
def r2(targets: Floats, predictions: Floats) -> float:
    """Share of the variance that is explained; NaN where the targets do not vary."""
    from sklearn.metrics import r2_score

    return float(r2_score(targets, predictions)) if _varies(targets) else float("nan")


@metric("spearman", direction="maximize", kinds="regression", bounds=(-1, 1), weighted=weighted.weighted_spearman)
def spearman(targets: Floats, predictions: Floats) -> float:
    """Correlation of ranks; NaN where the targets do not vary, 0 where the predictions do not: they rank nothing."""
    from scipy.stats import spearmanr

    if not _varies(targets):
        return float("nan")
    return float(spearmanr(targets, predictions).statistic) if _varies(predictions) else 0.0


def _varies(values: Floats) -> bool:
    return len(values) > 1 and float(np.ptp(values)) > 0
