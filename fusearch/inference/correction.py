"""How probabilities become a class: dividing by a power of the share of each class, fitted on rows that were held out.

Axis letters: N rows, K classes, F folds, E exponents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusearch.contracts import Objective
from fusearch.inference.kept import KeptPredictions, NotEstimableError, read_kept
from fusearch.metrics import METRICS
from fusearch.study import TrialRecord, standard_error
from fusearch.trials import Trials

__all__ = ["EXPONENTS", "Correction", "asks_class", "correction_for", "correction_of", "fit_correction", "scores_of_classes", "weighed"]

Floats = NDArray[np.float64]

#: Powers of the shares that are tried; 0 takes the most probable class, 1 asks which class a row speaks for more than its share does.
EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0)


#: Metrics that are told of the classes that are taken.
_OF_CLASSES = ("sensitivity", "specificity", "balanced_accuracy", "accuracy", "f1_macro")


@dataclass(frozen=True)
class Correction:
    """The class of a row is the one with the largest probability times weight.

    Attributes:
        metric: What it was fitted for.
        exponent: Power of the shares that probabilities are divided by.
        weights: Weight of each class; their mean is 1.
        threshold: Of two classes the probability of the second one from which on it is taken; None of more.
        plain: The metric of the most probable class, out of fold.
        score: The metric with the correction, in each fold with the exponent that the other folds choose.
    """

    metric: str
    exponent: float
    weights: tuple[float, ...]
    threshold: float | None
    plain: float
    score: float

    def apply(self, probabilities_NK: Floats) -> Floats:
        """Return probabilities of which the largest one is the class to take."""
        return weighed(probabilities_NK, np.array(self.weights))


def correction_of(trials: Trials, records: Sequence[TrialRecord]) -> Correction | None:
    """Fit the correction that a design needs, or the mean of several, for the primary objective, on the predictions that the run keeps.

    None where predictions are missing, and where `correction_for` gives none.
    """
    try:
        kept = read_kept(trials.path, records, trials.described_task)
    except NotEstimableError:
        return None
    return correction_for(kept, kept.outputs.mean(axis=0), trials.primary)


def asks_class(objective: Objective) -> bool:
    """Whether an objective asks which class is taken, as accuracy does and AUROC does not: answers compare it at the most probable one."""
    return objective.name in METRICS and METRICS[objective.name].decides


def correction_for(kept: KeptPredictions, outputs: Floats, objective: Objective) -> Correction | None:
    """Fit the correction of some outputs of these rows; None where the objective does not read which class is taken, or it does not pay."""
    of_classes = kept.task.named_classes and outputs.ndim == 2 and kept.targets.ndim == 1
    if not of_classes or not asks_class(objective):
        return None
    return fit_correction(kept.targets, outputs, kept.fold, objective)


def scores_of_classes(kept: KeptPredictions, outputs: Floats) -> dict[str, float]:
    """Return the metrics of the class with the largest output, means over the folds in which they are defined."""
    folds = [np.flatnonzero(kept.fold == fold) for fold in np.unique(kept.fold)]
    values = {name: np.array([METRICS[name](kept.targets[rows], outputs[rows]) for rows in folds]) for name in _OF_CLASSES}
    return {name: float(each[np.isfinite(each)].mean()) for name, each in values.items() if np.isfinite(each).any()}


def fit_correction(targets_N: NDArray[Any], probabilities_NK: Floats, fold_N: NDArray[np.int64], objective: Objective) -> Correction | None:
    """Fit a correction of held-out predictions for a metric of the class that is taken.

    In each fold it has the exponent that is the best in the others. It is used only where that is more than one standard error better than
    the most probable class, so that chance does not move a threshold.

    Args:
        targets_N: Class of each row.
        probabilities_NK: What was predicted of it by a network that had not seen it.
        fold_N: In which fold.
        objective: The metric.

    Returns:
        The correction with the exponent that all folds choose; None where it does not pay, or one fold alone cannot tell.
    """
    folds = [np.flatnonzero(fold_N == fold) for fold in np.unique(fold_N)]
    shares = np.bincount(targets_N, minlength=probabilities_NK.shape[1]) / len(targets_N)
    tried = [weighed(probabilities_NK, _weights(shares, exponent)) for exponent in EXPONENTS]
    losses_EF = np.array([[objective.loss(METRICS[objective.name](targets_N[rows], each[rows])) for rows in folds] for each in tried])
    losses_EF = losses_EF[:, np.isfinite(losses_EF).all(axis=0)]
    num_folds = losses_EF.shape[1]
    if num_folds < 2:
        return None
    sums_E = losses_EF.sum(axis=1)
    nested = np.array([losses_EF[np.argmin(sums_E - losses_EF[:, fold]), fold] for fold in range(num_folds)])
    gains = losses_EF[0] - nested
    chosen = int(np.argmin(sums_E))
    if chosen == 0 or not gains.mean() > (standard_error(gains.tolist()) or 0.0):
        return None
    weights = tuple(map(float, _weights(shares, EXPONENTS[chosen])))
    plain, score = (float(objective.loss(each.mean())) for each in (losses_EF[0], nested))
    threshold = weights[0] / sum(weights) if len(weights) == 2 else None
    return Correction(objective.name, EXPONENTS[chosen], weights, threshold, plain, score)


def weighed(probabilities_NK: Floats, weights_K: Floats) -> Floats:
    """Return probabilities times weights, each row with the sum 1."""
    product = probabilities_NK * weights_K
    weighed_NK: Floats = product / product.sum(axis=1, keepdims=True)
    return weighed_NK


def _weights(shares_K: Floats, exponent: float) -> Floats:
    """Return the weights of the classes; a class without a row is never taken."""
    weights = np.where(shares_K > 0, np.maximum(shares_K, 1e-12) ** -exponent, 0.0)
    scaled: Floats = weights / weights.mean()
    return scaled
