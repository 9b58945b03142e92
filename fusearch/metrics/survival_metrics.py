"""Metrics of survival, by scikit-survival (the extra `survival`). Axis letters: N samples, K times, B draws.

Targets are (N, 2): time and event. Outputs are (N, 1 + K): the risk, then the probability of no event until each time (decision 0075). What
censoring hides is weighed by the censoring distribution of the rows that are scored. A time is scored where it lies in their follow-up;
rows without an event have no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusearch.errors import EvaluationError
from fusearch.metrics.entry import metric

__all__ = ["concordance", "dynamic_auc", "integrated_brier"]

Floats = NDArray[np.floating[Any]]

_KINDS = ("survival", "discrete_survival")
#: Risks that differ by less are ties, as in scikit-survival.
_TIED = 1e-8
#: Rows that are compared with all others at once.
_ROWS = 256


def _weighted_concordance(targets: Floats, outputs: Floats, weights_NB: Floats) -> Floats:
    times, events, risks = targets[:, 0], targets[:, 1] == 1, outputs[:, 0]
    right, pairs = np.zeros(weights_NB.shape[1]), np.zeros(weights_NB.shape[1])
    failed = np.flatnonzero(events)
    for start in range(0, len(failed), _ROWS):
        rows = failed[start : start + _ROWS]
        later = (times > times[rows, None]) | ((times == times[rows, None]) & ~events)
        ahead = risks[rows, None] - risks
        in_order = np.where(np.abs(ahead) <= _TIED, 0.5, ahead > 0)
        right += np.einsum("nb,nb->b", weights_NB[rows], (later * in_order) @ weights_NB)
        pairs += np.einsum("nb,nb->b", weights_NB[rows], later.astype(float) @ weights_NB)
    share: Floats = np.divide(right, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
    return share


@metric("concordance", direction="maximize", kinds=_KINDS, bounds=(0, 1), weighted=_weighted_concordance)
def concordance(targets: Floats, outputs: Floats) -> float:
    """Share of comparable pairs in which who had the event first has the larger risk (Harrell's C); a tie counts half."""
    sksurv = _library()
    times, events = targets[:, 0].astype(float), targets[:, 1] == 1
    later = times.max() > times[events].min(initial=np.inf) or bool(np.isin(times[~events], times[events]).any())
    return float(sksurv.concordance_index_censored(events, times, outputs[:, 0].astype(float))[0]) if later else float("nan")


def _weighted_integrated_brier(targets: Floats, outputs: Floats, weights_NB: Floats, labels: Sequence[str]) -> Floats:
    at_K, (times, events) = _times(labels), (targets[:, 0].astype(float), targets[:, 1] == 1)
    free_UB, place, at = _censoring(times, events, weights_NB)
    drawn = weights_NB > 0
    first = np.where(drawn, times[:, None], np.inf).min(axis=0, initial=np.inf)
    last = np.where(drawn, times[:, None], -np.inf).max(axis=0, initial=-np.inf)
    inside_KB = (at_K[:, None] >= first) & (at_K[:, None] < last) & drawn[events].any(axis=0)
    known_NB, scores_KB = _inverse(free_UB[place]), np.zeros(inside_KB.shape)
    for each, time in enumerate(at_K):
        survival, upto = outputs[:, 1 + each].astype(float), np.searchsorted(at, time, side="right") - 1
        missed = (survival**2 * ((times <= time) & events))[:, None] * known_NB
        kept = ((1 - survival) ** 2 * (times > time))[:, None] * (_inverse(free_UB[upto]) if upto >= 0 else 1.0)
        scores_KB[each] = ((missed + kept) * weights_NB).sum(axis=0) / np.maximum(weights_NB.sum(axis=0), 1)
    return _integral(scores_KB, inside_KB, at_K)


@metric("integrated_brier", direction="minimize", kinds=_KINDS, bounds=(0, 1), weighted=_weighted_integrated_brier, labelled=True)
def integrated_brier(targets: Floats, outputs: Floats, labels: Sequence[str]) -> float:
    """Squared error of survival probabilities, the mean over time from the first to the last time (Graf et al. 1999)."""
    sksurv, at, held = _library(), _times(labels), _structured(targets)
    inside = (at >= held["time"].min()) & (at < held["time"].max()) & held["event"].any()
    if not inside.any():
        return float("nan")
    scores = sksurv.brier_score(held, held, outputs[:, 1:][:, inside].astype(float), at[inside])[1]
    return float(_integral(scores[:, None], np.ones((len(scores), 1), bool), at[inside])[0])


@metric("dynamic_auc", direction="maximize", kinds=_KINDS, bounds=(0, 1), labelled=True)
def dynamic_auc(targets: Floats, outputs: Floats, labels: Sequence[str]) -> float:
    """Area under the ROC of events until a time against no event until then, the mean over the times, weighed by the events at each."""
    sksurv, at, held = _library(), _times(labels), _structured(targets)
    inside = (at >= held["time"][held["event"]].min(initial=np.inf)) & (at < held["time"].max())
    if not inside.any():
        return float("nan")
    judged = held.copy()  # an event after the last time is none until then
    judged["event"] &= held["time"] <= at[inside][-1]
    return float(sksurv.cumulative_dynamic_auc(held, judged, 1 - outputs[:, 1:][:, inside].astype(float), at[inside])[1])


def _library() -> Any:
    try:
        import sksurv.metrics
    except ImportError:
        raise EvaluationError("metrics of survival need scikit-survival: pip install 'fusearch[survival]'") from None
    return sksurv.metrics


def _times(labels: Sequence[str]) -> NDArray[np.float64]:
    return np.array(labels, np.float32).astype(np.float64)  # as precise as targets


def _structured(targets: Floats) -> NDArray[Any]:
    held = np.empty(len(targets), [("event", bool), ("time", float)])
    held["event"], held["time"] = targets[:, 1] == 1, targets[:, 0]
    return held


def _censoring(times: Floats, events: NDArray[np.bool_], weights_NB: Floats) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Return the share that is not censored after each distinct time, (U, B), the place of each row among the times, and the times."""
    at, place = np.unique(times, return_inverse=True)
    failed, left = (np.zeros((len(at), weights_NB.shape[1])) for _ in range(2))
    np.add.at(failed, place, weights_NB * events[:, None])
    np.add.at(left, place, weights_NB * ~events[:, None])
    at_risk = (failed + left)[::-1].cumsum(axis=0)[::-1] - failed
    return np.cumprod(1 - np.divide(left, at_risk, out=np.zeros_like(left), where=at_risk > 0), axis=0), place, at


def _inverse(shares: Floats) -> Floats:
    inverse: Floats = np.divide(1.0, shares, out=np.zeros_like(shares), where=shares > 0)
    return inverse


def _integral(scores_KB: Floats, inside_KB: NDArray[np.bool_], at_K: Floats) -> Floats:
    """Return the mean of a score over time, by the trapezoidal rule between times that are scored, (B,); of one time its score."""
    both = inside_KB[1:] & inside_KB[:-1]
    lengths = np.diff(at_K)[:, None] * both
    total, counts = lengths.sum(axis=0), inside_KB.sum(axis=0)
    area = ((scores_KB[1:] + scores_KB[:-1]) / 2 * lengths).sum(axis=0)
    alone = np.divide((scores_KB * inside_KB).sum(axis=0), counts, out=np.full(len(counts), np.nan), where=counts > 0)
    mean: Floats = np.divide(area, total, out=alone, where=total > 0)
    return mean
