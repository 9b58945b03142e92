"""Metrics of class probabilities, by scikit-learn. Axis letters: N samples, K classes.

Two classes: `auroc`, `auprc`, `sensitivity` and `specificity` are those of the second class. More: macro average over one-versus-rest. A
class that none of the samples has can be neither ranked nor recalled, so it is left out of these averages, of `f1_macro` unless it was
predicted, and of `balanced_accuracy`; a metric that is then undefined (all samples of one class) is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fusearch.metrics import weighted
from fusearch.metrics.entry import metric

__all__ = ["accuracy", "auprc", "auroc", "balanced_accuracy", "brier", "ece", "f1_macro", "log_loss", "mcc", "sensitivity", "specificity"]

#: Bins of the confidence in `ece`, of equal width.
_BINS = 15

Floats = NDArray[np.floating]
Codes = NDArray[np.integer]


def _hits(targets: Codes, probabilities: Floats) -> Floats:
    return np.asarray(probabilities.argmax(axis=1) == targets, float)


def _surprises(targets: Codes, probabilities: Floats) -> Floats:
    smallest = np.finfo(probabilities.dtype).eps  # as scikit-learn's log_loss
    surprises: Floats = -np.log(np.clip(probabilities[np.arange(len(targets)), targets], smallest, 1.0 - smallest))
    return surprises


def _squares(targets: Codes, probabilities: Floats) -> Floats:
    num_classes = probabilities.shape[1]
    squares: Floats = np.sum((probabilities - np.eye(num_classes)[targets]) ** 2, axis=1)
    return squares * (0.5 if num_classes == 2 else 1.0)


def _bins(_: Codes, probabilities: Floats) -> Codes:
    """Return in which bin, (low, high], the confidence of each row falls."""
    inner = np.arange(1, _BINS) / _BINS
    bins: Codes = np.searchsorted(inner, probabilities.max(axis=1), side="left")
    return bins


def _surplus(targets: Codes, probabilities: Floats) -> Floats:
    """Return by how much each row is surer than it is right: confidence minus hit."""
    surplus: Floats = probabilities.max(axis=1) - _hits(targets, probabilities)
    return surplus


@metric("accuracy", direction="maximize", kinds="classification", bounds=(0, 1), weighted=weighted.weighted_mean(_hits), decides=True)
def accuracy(targets: Codes, probabilities: Floats) -> float:
    """Share of samples whose most probable class is the right one."""
    return float(np.mean(_hits(targets, probabilities)))


@metric(
    "balanced_accuracy",
    direction="maximize",
    kinds="classification",
    bounds=(0, 1),
    weighted=weighted.weighted_balanced_accuracy,
    decides=True,
)
def balanced_accuracy(targets: Codes, probabilities: Floats) -> float:
    """Mean over the classes of the share of each that is found."""
    from sklearn.metrics import recall_score

    return float(recall_score(targets, probabilities.argmax(axis=1), labels=np.unique(targets), average="macro"))


@metric("auroc", direction="maximize", kinds="classification", bounds=(0, 1), weighted=weighted.weighted_auroc)
def auroc(targets: Codes, probabilities: Floats) -> float:
    """Area under the receiver operating characteristic, one class versus the rest."""
    from sklearn.metrics import roc_auc_score

    return _over_classes(roc_auc_score, targets, probabilities)


@metric("auprc", direction="maximize", kinds="classification", bounds=(0, 1), weighted=weighted.weighted_auprc)
def auprc(targets: Codes, probabilities: Floats) -> float:
    """Average precision, the area under the curve of precision and recall, one class versus the rest."""
    from sklearn.metrics import average_precision_score

    return _over_classes(average_precision_score, targets, probabilities)


@metric("f1_macro", direction="maximize", kinds="classification", bounds=(0, 1), weighted=weighted.weighted_f1_macro, decides=True)
def f1_macro(targets: Codes, probabilities: Floats) -> float:
    """Mean over the classes of the harmonic mean of precision and recall."""
    from sklearn.metrics import f1_score

    return float(f1_score(targets, probabilities.argmax(axis=1), average="macro", zero_division=0.0))


@metric("mcc", direction="maximize", kinds="classification", bounds=(-1, 1), weighted=weighted.weighted_mcc, decides=True)
def mcc(targets: Codes, probabilities: Floats) -> float:
    """Matthews correlation of predicted and right class."""
    from sklearn.metrics import matthews_corrcoef

    return float(matthews_corrcoef(targets, probabilities.argmax(axis=1))) if len(np.unique(targets)) > 1 else float("nan")


@metric("log_loss", direction="minimize", kinds="classification", bounds=(0, math.inf), weighted=weighted.weighted_mean(_surprises))
def log_loss(targets: Codes, probabilities: Floats) -> float:
    """Mean negative logarithm of the probability of the right class."""
    from sklearn import metrics

    return float(metrics.log_loss(targets, probabilities, labels=np.arange(probabilities.shape[1])))


@metric("brier", direction="minimize", kinds="classification", bounds=(0, 2), weighted=weighted.weighted_mean(_squares))
def brier(targets: Codes, probabilities: Floats) -> float:
    """Mean squared error of the probabilities: in [0, 1] for two classes, in [0, 2] for more, as is usual."""
    return float(np.mean(_squares(targets, probabilities)))


@metric("ece", direction="minimize", kinds="classification", bounds=(0, 1), weighted=weighted.weighted_gap(_surplus, _bins, _BINS))
def ece(targets: Codes, probabilities: Floats) -> float:
    """Expected calibration error: mean distance of confidence and accuracy over 15 equal bins of the confidence.

    Confidence is the probability of the most probable class; a bin counts by its share of the samples. Guo, Pleiss, Sun and Weinberger,
    "On calibration of modern neural networks" (2017), equation 3.
    """
    sums = np.bincount(_bins(targets, probabilities), weights=_surplus(targets, probabilities), minlength=_BINS)
    return float(np.abs(sums).sum() / len(targets))


@metric("sensitivity", direction="maximize", kinds="classification", bounds=(0, 1), weighted=weighted.weighted_sensitivity)
def sensitivity(targets: Codes, probabilities: Floats) -> float:
    """Share of the positive samples that are found, as the most probable class (of two classes: at the threshold 0.5).

    Of three classes or more the mean over one-versus-rest, which is `balanced_accuracy`. NaN where no sample is positive.
    """
    return float(weighted.weighted_sensitivity(targets, probabilities, np.ones((len(targets), 1)))[0])


@metric("specificity", direction="maximize", kinds="classification", bounds=(0, 1), weighted=weighted.weighted_specificity)
def specificity(targets: Codes, probabilities: Floats) -> float:
    """Share of the negative samples that are left alone, where the most probable class is taken (of two classes: at the threshold 0.5).

    Of three classes or more the mean over one-versus-rest. NaN where no sample is negative.
    """
    return float(weighted.weighted_specificity(targets, probabilities, np.ones((len(targets), 1)))[0])


def _over_classes(score: Callable[[NDArray[np.bool_], Floats], float], targets: Codes, probabilities: Floats) -> float:
    found = np.unique(targets)
    if len(found) < 2:
        return float("nan")
    ranked = (1,) if probabilities.shape[1] == 2 else tuple(int(code) for code in found)
    return float(np.mean([score(targets == code, probabilities[:, code]) for code in ranked]))
