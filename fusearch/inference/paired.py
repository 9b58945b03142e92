"""Two designs on rows that nobody chose by: a paired bootstrap, and its correction for several looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusearch.contracts import Objective
from fusearch.inference.claims import Claim
from fusearch.inference.resampling import QUANTILES, draw_rows
from fusearch.metrics import METRICS
from fusearch.tasks import Task

__all__ = ["LEVEL", "PairedDifference", "holm", "paired_difference", "score_interval"]

#: A gain is claimed up to this p-value.
LEVEL = QUANTILES[0]

#: Draws of the rows; of many rows fewer do, as an interval hangs on less chance.
_DRAWS, _MOST_DRAWN_ROWS, _FEWEST_DRAWS = 2000, 20_000_000, 200


@dataclass(frozen=True)
class PairedDifference:
    """By how much a second design is better than a first one, on the same rows.

    Attributes:
        difference: On all rows, in the metric; negative where the second is worse.
        interval: 5 % and 95 % quantile over the draws.
        p: Share of the draws without a gain, the observed one counted in.
    """

    difference: float
    interval: tuple[float, float]
    p: float

    def claim(self, p: float | None = None) -> Claim:
        """Return what may be said, by default of a first look.

        Args:
            p: The p-value after a correction for several looks.
        """
        if self.interval[1] < 0:
            return "loss"
        return "gain" if (self.p if p is None else p) <= LEVEL and self.difference > 0 else "no clear gain"


def paired_difference(
    objective: Objective,
    targets: NDArray[Any],
    first: NDArray[np.floating[Any]],
    second: NDArray[np.floating[Any]],
    *,
    strata: NDArray[np.int64],
    groups: NDArray[np.int64] | None = None,
    task: Task | None = None,
    draws: int = _DRAWS,
    seed: int = 0,
) -> PairedDifference | None:
    """Draw the rows again and again, and score both designs on each draw.

    Args:
        objective: A metric.
        targets: (N,) or (N, numbers of a sample).
        first: Outputs of the first design, as the metric reads them, (N,) or (N, outputs).
        second: Outputs of the second one, of the same rows.
        strata: Stratum of each row, (N,): each draw has as many rows of it as there are.
        groups: Number of the group of each row, (N,); groups are drawn whole.
        task: What is predicted; left out, one whose metrics need nothing but targets and outputs.
        draws: How many, of up to 10,000 rows.
        seed: What the draws hang on.

    Returns:
        The difference; None where the metric is undefined on these rows.
    """
    weights = _weights(strata, groups, draws, seed)
    losses = [objective.loss(1.0) * _scores(objective, task, targets, outputs, weights) for outputs in (first, second)]
    gains = losses[0] - losses[1]
    found = _interval(gains)
    if found is None:
        return None
    drawn = gains[1:][np.isfinite(gains[1:])]
    p = (1 + int((drawn <= 0).sum())) / (1 + len(drawn))
    return PairedDifference(float(gains[0]), found, p)


def score_interval(
    objective: Objective,
    targets: NDArray[Any],
    outputs: NDArray[np.floating[Any]],
    *,
    strata: NDArray[np.int64],
    groups: NDArray[np.int64] | None = None,
    task: Task | None = None,
    draws: int = _DRAWS,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Return 5 % and 95 % quantile of the metric of one design over the same draws; None where the metric is undefined on these rows."""
    return _interval(_scores(objective, task, targets, outputs, _weights(strata, groups, draws, seed)))


def _scores(
    objective: Objective, task: Task | None, targets: NDArray[Any], outputs: NDArray[np.floating[Any]], weights: NDArray[np.float64]
) -> NDArray[np.floating[Any]]:
    """Return the metric on each draw, (1 + draws,)."""
    metric, labels = (METRICS[objective.name], ()) if task is None else (task.metric(objective.name), task.labels)
    return metric.on_draws(targets, outputs, weights, labels)


def _weights(strata: NDArray[np.int64], groups: NDArray[np.int64] | None, draws: int, seed: int) -> NDArray[np.float64]:
    """Return how often all rows, then each draw, hold each row, (N, 1 + draws)."""
    draws = min(draws, max(_FEWEST_DRAWS, _MOST_DRAWN_ROWS // len(strata)))
    return np.column_stack([np.ones(len(strata)), draw_rows(np.random.default_rng(seed), strata=strata, groups=groups, draws=draws)])


def _interval(values: NDArray[np.floating[Any]]) -> tuple[float, float] | None:
    """Return the quantiles over the draws; the first value is that of all rows."""
    drawn = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or not len(drawn):
        return None
    low, high = np.quantile(drawn, QUANTILES)
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number (Holm 1979).

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    corrected = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda each: p_values[each])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected
