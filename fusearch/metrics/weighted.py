"""Metrics of many draws of the rows at once: what a bootstrap asks for. Axis letters: N rows, B draws, K classes.

A weight says how often a draw holds a row, so a metric with weights equals the metric of the rows repeated that often; it is NaN wherever
that would be undefined. The law stands in the tests, for every metric that has such a form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "weighted_auprc",
    "weighted_auroc",
    "weighted_balanced_accuracy",
    "weighted_f1_macro",
    "weighted_gap",
    "weighted_mcc",
    "weighted_mean",
    "weighted_mean_auprc",
    "weighted_mean_auroc",
    "weighted_mean_f1",
    "weighted_r2",
    "weighted_rmse",
    "weighted_sensitivity",
    "weighted_spearman",
    "weighted_specificity",
]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]


def weighted_mean(each: Callable[[Any, Floats], Floats]) -> Callable[[Any, Floats, Floats], Floats]:
    """Return the weighted form of a metric that is the mean of a value of each row: `each(targets, outputs)` gives these, (N,)."""

    def score(targets: Any, outputs: Floats, weights_NB: Floats) -> Floats:
        return _ratio(each(targets, outputs) @ weights_NB, weights_NB.sum(axis=0))

    return score


def weighted_gap(
    each: Callable[[Any, Floats], Floats], bin_of: Callable[[Any, Floats], Integers], bins: int
) -> Callable[[Any, Floats, Floats], Floats]:
    """Return the weighted form of a metric that sums up how far the mean of a value is from 0 inside bins, by their share of the rows."""

    def score(targets: Any, outputs: Floats, weights_NB: Floats) -> Floats:
        sums = np.zeros((bins, weights_NB.shape[1]))
        np.add.at(sums, bin_of(targets, outputs), each(targets, outputs)[:, None] * weights_NB)
        return _ratio(np.abs(sums).sum(axis=0), weights_NB.sum(axis=0))

    return score


def weighted_auroc(targets: Integers, probabilities: Floats, weights_NB: Floats) -> Floats:
    """Area under the receiver operating characteristic, (B,)."""
    return _over_classes(_area, targets, probabilities, weights_NB)


def weighted_auprc(targets: Integers, probabilities: Floats, weights_NB: Floats) -> Floats:
    """Average precision, (B,)."""
    return _over_classes(_average_precision, targets, probabilities, weights_NB)


def weighted_balanced_accuracy(targets: Integers, probabilities: Floats, weights_NB: Floats) -> Floats:
    """Mean recall of the classes that a draw holds, (B,)."""
    counts_BKK = _confusion(targets, probabilities, weights_NB)
    recalls = _ratio(np.diagonal(counts_BKK, axis1=1, axis2=2), counts_BKK.sum(axis=2))
    return _nan_mean(recalls)


def weighted_sensitivity(targets: Integers, probabilities: Floats, weights_NB: Floats) -> Floats:
    """Recall of the second of two classes, or mean recall of the classes that a draw holds, (B,)."""
    counts_BKK = _confusion(targets, probabilities, weights_NB)
    recalls = _ratio(np.diagonal(counts_BKK, axis1=1, axis2=2), counts_BKK.sum(axis=2))
    return recalls[:, 1] if probabilities.shape[1] == 2 else _nan_mean(recalls)


def weighted_specificity(targets: Integers, probabilities: Floats, weights_NB: Floats) -> Floats:
    """Recall of the first of two classes, or the mean over the classes that a draw holds of the share of the rest left alone, (B,)."""
    counts_BKK = _confusion(targets, probabilities, weights_NB)
    hits, actual, predicted = np.diagonal(counts_BKK, axis1=1, axis2=2), counts_BKK.sum(axis=2), counts_BKK.sum(axis=1)
    negative = actual.sum(axis=1, keepdims=True) - actual
    spared = _ratio(negative - (predicted - hits), negative)
    return spared[:, 1] if probabilities.shape[1] == 2 else _nan_mean(np.where(actual > 0, spared, np.nan))


def weighted_f1_macro(targets: Integers, probabilities: Floats, weights_NB: Floats) -> Floats:
    """Mean F1 of the classes that a draw holds or that are predicted in it, (B,)."""
    counts_BKK = _confusion(targets, probabilities, weights_NB)
    hits = np.diagonal(counts_BKK, axis1=1, axis2=2)
    return _nan_mean(_ratio(2 * hits, counts_BKK.sum(axis=2) + counts_BKK.sum(axis=1)))


def weighted_mean_auroc(targets: Floats, probabilities: Floats, weights_NB: Floats) -> Floats:
    """Mean over the labels of the area under the receiver operating characteristic, (B,); targets (N, L)."""
    return _nan_mean(np.stack([_area(have == 1, said, weights_NB) for have, said in zip(targets.T, probabilities.T, strict=True)], axis=1))


def weighted_mean_auprc(targets: Floats, probabilities: Floats, weights_NB: Floats) -> Floats:
    """Mean over the labels of the average precision, (B,); targets (N, L)."""
    pairs = zip(targets.T, probabilities.T, strict=True)
    return _nan_mean(np.stack([_average_precision(have == 1, said, weights_NB) for have, said in pairs], axis=1))


def weighted_mean_f1(targets: Floats, probabilities: Floats, weights_NB: Floats) -> Floats:
    """Mean over the labels that a draw holds, or that are said in it, of F1 at the threshold 0.5, (B,); targets (N, L)."""
    said = probabilities >= 0.5
    hits_BL, total_BL = weights_NB.T @ (said & (targets == 1)), weights_NB.T @ (said + targets)
    return _nan_mean(_ratio(2 * hits_BL, total_BL))


def weighted_mcc(targets: Integers, probabilities: Floats, weights_NB: Floats) -> Floats:
    """Matthews correlation, (B,); 0 where one class alone is predicted, NaN where a draw holds one class alone."""
    counts_BKK = _confusion(targets, probabilities, weights_NB)
    actual, predicted, total = counts_BKK.sum(axis=2), counts_BKK.sum(axis=1), counts_BKK.sum(axis=(1, 2))
    covariance = np.trace(counts_BKK, axis1=1, axis2=2) * total - (actual * predicted).sum(axis=1)
    spread = (total**2 - (predicted**2).sum(axis=1)) * (total**2 - (actual**2).sum(axis=1))
    value = np.divide(covariance, np.sqrt(spread), out=np.zeros_like(covariance), where=spread > 0)
    return np.where((actual > 0).sum(axis=1) > 1, value, np.nan)


def weighted_rmse(targets: Floats, predictions: Floats, weights_NB: Floats) -> Floats:
    """Root of the mean squared error, (B,)."""
    return np.sqrt(_ratio((targets - predictions) ** 2 @ weights_NB, weights_NB.sum(axis=0)))


def weighted_r2(targets: Floats, predictions: Floats, weights_NB: Floats) -> Floats:
    """Share of the variance that is explained, (B,)."""
    total = weights_NB.sum(axis=0)
    mean = _ratio(targets @ weights_NB, total)
    variance = np.einsum("nb,nb->b", weights_NB, (targets[:, None] - mean) ** 2)
    value = 1.0 - _ratio((targets - predictions) ** 2 @ weights_NB, variance)
    return np.where(_varies(targets, weights_NB), value, np.nan)


def weighted_spearman(targets: Floats, predictions: Floats, weights_NB: Floats) -> Floats:
    """Correlation of ranks, (B,); 0 where the predictions do not vary."""
    total = weights_NB.sum(axis=0)
    centred = []
    for values in (targets, predictions):
        ranks_NB = _mean_ranks(values, weights_NB)
        centred.append(ranks_NB - _ratio((weights_NB * ranks_NB).sum(axis=0), total))
    ours, theirs = centred
    product, square, other = (np.einsum("nb,nb,nb->b", weights_NB, *pair) for pair in ((ours, theirs), (ours, ours), (theirs, theirs)))
    value = np.where(_varies(predictions, weights_NB), _ratio(product, np.sqrt(square * other)), 0.0)
    return np.where(_varies(targets, weights_NB), value, np.nan)


def _over_classes(
    area: Callable[[NDArray[np.bool_], Floats, Floats], Floats], targets: Integers, probabilities: Floats, weights_NB: Floats
) -> Floats:
    """Mean over one-versus-rest of the classes that a draw holds; of two classes, the second one's alone."""
    num_classes = probabilities.shape[1]
    ranked = (1,) if num_classes == 2 else range(num_classes)
    areas = np.stack([area(targets == code, probabilities[:, code], weights_NB) for code in ranked])
    return _nan_mean(areas.T)


def _area(positive: NDArray[np.bool_], scores: Floats, weights_NB: Floats) -> Floats:
    """Share of pairs of a positive and a negative row that are in order, (B,); NaN without a pair."""
    order = np.argsort(scores, kind="stable")
    first, after = _ties(scores[order])
    positive = positive[order]
    weights_NB = weights_NB[order]
    below = _running_sum(np.where(positive[:, None], 0.0, weights_NB))
    ours = weights_NB[positive]
    in_order = np.einsum("nb,nb->b", ours, below[first[positive]] + below[after[positive]]) / 2
    return _ratio(in_order, ours.sum(axis=0) * below[-1])


def _average_precision(positive: NDArray[np.bool_], scores: Floats, weights_NB: Floats) -> Floats:
    """Mean precision at the positive rows, (B,); NaN where a draw holds no positive or no negative row."""
    order = np.argsort(-scores, kind="stable")
    _, after = _ties(scores[order])
    positive = positive[order]
    weights_NB = weights_NB[order]
    ours = weights_NB[positive]
    found = _running_sum(np.where(positive[:, None], weights_NB, 0.0))
    reached = after[positive]
    taken = _running_sum(weights_NB)
    precision = np.divide(found[reached], taken[reached], out=np.zeros_like(ours), where=taken[reached] > 0)
    total = ours.sum(axis=0)
    mean = _ratio(np.einsum("nb,nb->b", ours, precision), total)
    return np.where(taken[-1] > total, mean, np.nan)


def _mean_ranks(values: Floats, weights_NB: Floats) -> Floats:
    """Return the rank of each row in each draw, (N, B); rows of one value share the mean of their ranks."""
    order = np.argsort(values, kind="stable")
    first, after = _ties(values[order])
    below = _running_sum(weights_NB[order])
    ranks = np.empty_like(weights_NB)
    ranks[order] = (below[first] + below[after] + 1.0) / 2
    return ranks


def _ties(ordered: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each of ordered values, where the run of values equal to it starts, and where it has ended."""
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ends = np.append(starts[1:], len(ordered))
    lengths = ends - starts
    return np.repeat(starts, lengths), np.repeat(ends, lengths)


def _running_sum(weights_NB: Floats) -> Floats:
    """Return the sums over the first 0, 1, ..., N rows, (N + 1, B)."""
    sums = np.zeros((len(weights_NB) + 1, weights_NB.shape[1]))
    np.cumsum(weights_NB, axis=0, out=sums[1:])
    return sums


def _confusion(targets: Integers, probabilities: Floats, weights_NB: Floats) -> Floats:
    """Return how often each draw holds each pair of right and predicted class, (B, K, K)."""
    num_classes = probabilities.shape[1]
    pair = targets * num_classes + probabilities.argmax(axis=1)
    counts = np.zeros((num_classes**2, weights_NB.shape[1]))
    np.add.at(counts, pair, weights_NB)
    return counts.T.reshape(-1, num_classes, num_classes)


def _varies(values: Floats, weights_NB: Floats) -> NDArray[np.bool_]:
    """Whether the drawn values differ, (B,)."""
    drawn = weights_NB > 0
    lowest = np.where(drawn, values[:, None], np.inf).min(axis=0, initial=np.inf)
    highest = np.where(drawn, values[:, None], -np.inf).max(axis=0, initial=-np.inf)
    return np.asarray(highest > lowest)


def _ratio(above: Floats, below: Floats) -> Floats:
    """Divide; NaN where there is nothing to divide by."""
    ratio: Floats = np.divide(above, below, out=np.full(np.broadcast_shapes(above.shape, below.shape), np.nan), where=below > 0)
    return ratio


def _nan_mean(values_BK: Floats) -> Floats:
    """Mean over the last axis of what is defined; NaN where nothing is."""
    defined = np.isfinite(values_BK)
    return _ratio(np.where(defined, values_BK, 0.0).sum(axis=1), defined.sum(axis=1).astype(float))
