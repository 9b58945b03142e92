"""Metrics of several labels: means over the labels. Axis letters: N samples, L labels, B draws.

Targets are (N, L), 1 or 0; outputs are probabilities (N, L). A label that all samples have, or none, cannot be ranked and is left out; NaN
where that leaves none.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusearch.metrics import weighted
from fusearch.metrics.entry import metric

__all__ = ["mean_auprc", "mean_auroc", "mean_f1", "mean_log_loss"]

Floats = NDArray[np.floating[Any]]


def _surprises(targets: Floats, probabilities: Floats) -> Floats:
    smallest = np.finfo(np.float32).eps
    said = np.clip(probabilities, smallest, 1 - smallest)
    surprises: Floats = -np.log(np.where(targets == 1, said, 1 - said)).mean(axis=1)
    return surprises


@metric("mean_auroc", direction="maximize", kinds="multilabel", bounds=(0, 1), weighted=weighted.weighted_mean_auroc)
def mean_auroc(targets: Floats, probabilities: Floats) -> float:
    """Mean over the labels of the area under the receiver operating characteristic."""
    from sklearn.metrics import roc_auc_score

    varied = _varied(targets)
    return float(roc_auc_score(targets[:, varied], probabilities[:, varied], average="macro")) if varied.any() else float("nan")


@metric("mean_auprc", direction="maximize", kinds="multilabel", bounds=(0, 1), weighted=weighted.weighted_mean_auprc)
def mean_auprc(targets: Floats, probabilities: Floats) -> float:
    """Mean over the labels of the average precision."""
    from sklearn.metrics import average_precision_score

    varied = _varied(targets)
    return float(average_precision_score(targets[:, varied], probabilities[:, varied], average="macro")) if varied.any() else float("nan")


@metric("mean_f1", direction="maximize", kinds="multilabel", bounds=(0, 1), weighted=weighted.weighted_mean_f1)
def mean_f1(targets: Floats, probabilities: Floats) -> float:
    """Mean over the labels of F1 at the threshold 0.5; of labels that no sample has and none is said to have, nothing."""
    return float(weighted.weighted_mean_f1(targets, probabilities, np.ones((len(targets), 1)))[0])


@metric("mean_log_loss", direction="minimize", kinds="multilabel", bounds=(0, math.inf), weighted=weighted.weighted_mean(_surprises))
def mean_log_loss(targets: Floats, probabilities: Floats) -> float:
    """Mean over samples and labels of the negative logarithm of the probability of what is true."""
    return float(_surprises(targets, probabilities).mean())


def _varied(targets: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.ptp(targets, axis=0) > 0)
