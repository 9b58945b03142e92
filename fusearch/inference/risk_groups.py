"""Whether rows of a higher predicted risk had their events earlier: Kaplan-Meier curves of three groups, and a log-rank test.

The risk of a row is what the networks that had not seen it say. It is made of probabilities, which a baseline hazard of each fold puts on
one scale, so rows of all folds are divided together (decision 0075). Axis letters: N rows, B draws, T times, G groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusearch.inference.kept import KeptPredictions
from fusearch.inference.resampling import QUANTILES
from fusearch.tasks.survival import Survival

__all__ = ["RiskGroup", "RiskGroups", "has_risk", "log_rank", "risk_groups"]

_NAMES = ("low risk", "middle risk", "high risk")
#: A group has at least so many rows, else there are two groups, or none.
_LEAST = 5
#: Corners of a curve that are kept at most, and times at which rows at risk are counted.
_MOST_CORNERS, _COUNTS = 200, 5


@dataclass(frozen=True)
class RiskGroup:
    """Rows of about the same predicted risk.

    Attributes:
        name: Which group.
        rows: How many rows.
        events: How many of them had the event.
        x: Times, rising, from 0.
        y: Share without an event from each time on (Kaplan-Meier).
        low: 5 % quantile over draws of the rows.
        high: 95 % quantile.
        at_risk: How many rows had neither event nor censoring before each time of `RiskGroups.counted`.
    """

    name: str
    rows: int
    events: int
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    at_risk: tuple[int, ...]


@dataclass(frozen=True)
class RiskGroups:
    """The groups of a design, the lowest risk first.

    Attributes:
        time: Name of the time.
        groups: The groups.
        counted: Times at which rows at risk are counted.
        p: Of the log-rank test of equal hazards in all groups; None where there is nothing to compare.
    """

    time: str
    groups: tuple[RiskGroup, ...]
    counted: tuple[float, ...]
    p: float | None


def has_risk(kept: KeptPredictions) -> bool:
    """Whether a risk was predicted, of enough rows for two groups."""
    return isinstance(kept.task, Survival) and len(kept.targets) >= 2 * _LEAST


def risk_groups(kept: KeptPredictions, design: int, weights_NB: NDArray[np.float64]) -> RiskGroups:
    """Divide the rows into thirds of the risk that a design predicts; into halves where there are few.

    Args:
        kept: The predictions.
        design: Which design.
        weights_NB: How often each draw holds each row, for the bands.
    """
    times, events, risk = kept.targets[:, 0].astype(float), kept.targets[:, 1] == 1, kept.outputs[design][:, 0]
    names = _NAMES if len(risk) >= 3 * _LEAST else (_NAMES[0], _NAMES[-1])
    edges = np.quantile(risk, np.arange(1, len(names)) / len(names))
    group = np.searchsorted(edges, risk, side="left")
    counted = tuple(float(f"{each:.3g}") for each in np.linspace(0, times.max(), _COUNTS + 1)[:-1])
    found = []
    for number in np.unique(group):
        rows = np.flatnonzero(group == number)
        x, curves_TB = _curves(times[rows], events[rows], np.column_stack([np.ones(len(rows)), weights_NB[rows]]))
        low, high = np.quantile(curves_TB[:, 1:], QUANTILES, axis=1)
        at_risk = tuple(int((times[rows] >= each).sum()) for each in counted)
        y, below, above = (tuple(round(float(each), 4) for each in line) for line in (curves_TB[:, 0], low, high))
        found.append(RiskGroup(names[number], len(rows), int(events[rows].sum()), tuple(map(float, x)), y, below, above, at_risk))
    return RiskGroups(kept.task.name, tuple(found), counted, log_rank(times, events, group))


def log_rank(times: NDArray[np.float64], events: NDArray[np.bool_], group: NDArray[np.int64]) -> float | None:
    """Return the p-value of equal hazards in some groups (Mantel 1966), (N,) each; None for one group, or without an event."""
    from scipy.stats import chi2

    names, place = np.unique(group, return_inverse=True)
    if len(names) < 2 or not events.any():
        return None
    at = np.unique(times[events])
    member_NG = np.eye(len(names))[place]
    risk_TG = np.stack([member_NG[times >= each].sum(axis=0) for each in at])
    events_TG = np.stack([member_NG[events & (times == each)].sum(axis=0) for each in at])
    risk_T, events_T = risk_TG.sum(axis=1), events_TG.sum(axis=1)
    share_TG = risk_TG / risk_T[:, None]
    excess_G = (events_TG - events_T[:, None] * share_TG).sum(axis=0)
    scale_T = events_T * (risk_T - events_T) / np.maximum(risk_T - 1, 1)
    covariance_GG = np.einsum("t,tg,gh->gh", scale_T, share_TG, np.eye(len(names))) - np.einsum("t,tg,th->gh", scale_T, share_TG, share_TG)
    statistic = excess_G[1:] @ np.linalg.pinv(covariance_GG[1:, 1:]) @ excess_G[1:]
    return float(chi2.sf(statistic, len(names) - 1))


def _curves(
    times: NDArray[np.float64], events: NDArray[np.bool_], weights_NB: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times and the Kaplan-Meier estimate of each draw from each of them on, (T, B); it starts at 1 and is carried on."""
    at, place = np.unique(times, return_inverse=True)
    failed, gone = (np.zeros((len(at), weights_NB.shape[1])) for _ in range(2))
    np.add.at(failed, place, weights_NB * events[:, None])
    np.add.at(gone, place, weights_NB)
    at_risk = gone[::-1].cumsum(axis=0)[::-1]
    steps = 1 - np.divide(failed, at_risk, out=np.zeros_like(failed), where=at_risk > 0)
    x, curves = np.append(0.0, at), np.concatenate([np.ones((1, weights_NB.shape[1])), np.cumprod(steps, axis=0)])
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MOST_CORNERS)).astype(int))
    return x[kept], curves[kept]
