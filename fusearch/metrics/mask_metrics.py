"""Metrics of masks: means of what each sample scored where it was predicted. Axis letters: N samples, S scores."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fusearch.metrics import weighted
from fusearch.metrics.entry import metric

__all__ = ["dice", "hd95"]

Floats = NDArray[np.floating]

#: Where the scores of a sample stand (`Segmentation.outputs`).
_DICE, _HD95 = 0, 1


def _dice(targets: Floats, scores_NS: Floats) -> Floats:
    del targets
    return scores_NS[:, _DICE]


def _hd95(targets: Floats, scores_NS: Floats) -> Floats:
    del targets
    return scores_NS[:, _HD95]


@metric("dice", direction="maximize", kinds="segmentation", bounds=(0, 1), weighted=weighted.weighted_mean(_dice))
def dice(targets: Floats, scores_NS: Floats) -> float:
    """Dice coefficient of the masks: mean over the classes without the background, then over the samples (MONAI)."""
    return float(_dice(targets, scores_NS).mean())


@metric("hd95", direction="minimize", kinds="segmentation", bounds=(0, math.inf), weighted=weighted.weighted_mean(_hd95))
def hd95(targets: Floats, scores_NS: Floats) -> float:
    """95th percentile of the Hausdorff distance, in mm where the spacing is known, else in pixels, averaged as Dice is (MONAI)."""
    return float(_hd95(targets, scores_NS).mean())
