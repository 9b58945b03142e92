"""Scores of designs on drawn rows and on the rows left out. Axis letters: D designs, N rows, B draws, F folds.

Bootstrap bias-corrected cross-validation (Tsamardinos, Greasidou and Borboudakis 2018): what was chosen on the drawn rows is scored on the
rows that it was not chosen on, so the score holds no luck of the choice. Nothing is trained again. A metric of classes is chosen by as the
search has it, of the most probable class, and scored with the classes that an export takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fusearch.contracts import Objective
from fusearch.inference.correction import taken_out_of_fold
from fusearch.inference.kept import KeptPredictions, NotEstimableError

__all__ = ["DRAWS", "QUANTILES", "Resampled", "draw_rows", "mean_over", "over_draws"]

Floats = NDArray[np.float64]

#: Draws of the rows; a tenth of it for a metric of the user's own, which is computed draw by draw.
DRAWS = 500
_OWN_SHARE = 0.1

#: Of many rows fewer draws do, as an interval hangs on less chance: at most so many drawn rows in all, but never below so many draws.
_MOST_DRAWN_ROWS, _FEWEST_DRAWS = 2_500_000, 100

#: The quantiles that an interval ends at: a gain is claimed where the lower one is above 0.
QUANTILES = (0.05, 0.95)


class Resampled:
    """Every design on every draw of the rows.

    Args:
        kept: The predictions.
        objective: The metric; a score of a draw is its mean over the folds in which it is defined, as in the search.
        criteria: What designs are chosen by, as `Trials.criteria`; left out, the metric.
        draws: Number of draws.
        seed: What the draws hang on.

    Attributes:
        criteria: What designs are chosen by; a metric beside the loss comes first.
        drawn: How often each draw holds each row, (N, B).

    Raises:
        NotEstimableError: The metric is none of out-of-fold predictions.
    """

    def __init__(
        self, kept: KeptPredictions, objective: Objective, *, criteria: Sequence[Objective] = (), draws: int = DRAWS, seed: int = 0
    ) -> None:
        self._kept, self._objective, self.criteria = kept, objective, tuple(criteria) or (objective,)
        for each in (objective, *self.criteria):
            if each.name not in kept.task.metrics:
                raise NotEstimableError(f"{each.name} is no metric of the predictions that were kept")
        draws = min(draws, max(_FEWEST_DRAWS, _MOST_DRAWN_ROWS // len(kept.fold)))
        is_own = any(kept.task.metric(each.name).weighted is None for each in (objective, *self.criteria))
        draws = max(1, round(draws * _OWN_SHARE)) if is_own else draws
        rng = np.random.default_rng(seed)
        self.drawn = draw_rows(rng, strata=kept.strata, groups=kept.groups, draws=draws)
        self._left_out = (self.drawn == 0).astype(np.float64)
        self._taken: dict[tuple[int, ...], Floats] = {}
        self._folds = [np.flatnonzero(kept.fold == fold) for fold in np.unique(kept.fold)]

    @property
    def is_dense(self) -> bool:
        """Whether what was kept are scores of samples, whose mean over designs is no score of what they say together."""
        return self._kept.task.dense

    @cached_property
    def losses(self) -> tuple[Floats, ...]:
        """For each criterion the loss of each design in each fold on the drawn rows, (D, F, B): smaller is better, NaN where undefined."""
        return tuple(
            np.stack([self.losses_of(outputs, self.drawn, criterion) for outputs in self._kept.outputs]) for criterion in self.criteria
        )

    @cached_property
    def merits(self) -> Floats:
        """What designs are ordered by on each draw, (D, B), the best lowest: the loss, or the sum of the ranks in each criterion."""
        means = [np.stack([mean_over(each) for each in losses_DFB]) for losses_DFB in self.losses]
        means = [np.where(np.isnan(each), np.inf, each) for each in means]
        return means[0] if len(means) == 1 else np.sum([_ranks(each) for each in means], axis=0)

    def left_out(self, chosen: NDArray[np.int64]) -> Floats:
        """Return the metric of the design chosen in each draw on the rows that the draw left out, (B,); NaN where it is undefined."""
        scores = np.full(len(chosen), np.nan)
        for design in np.unique(chosen):
            draws = np.flatnonzero(chosen == design)
            scores[draws] = self.left_out_of((int(design),), draws)
        return scores

    def left_out_of(self, team: tuple[int, ...], draws: NDArray[np.int64]) -> Floats:
        """Return the metric of the mean of some designs, as an export takes classes, on the rows that each of some draws left out.

        NaN where it is undefined.
        """
        if team not in self._taken:
            self._taken[team] = taken_out_of_fold(self._kept, self.outputs_of(team), self._objective)
        losses = mean_over(self.losses_of(self._taken[team], self._left_out[:, draws]))
        return np.asarray(self._objective.loss(1.0) * losses)

    def outputs_of(self, team: tuple[int, ...]) -> Floats:
        """Return the mean of what some designs say, as metrics read it."""
        mean: Floats = self._kept.outputs[list(team)].mean(axis=0)
        return mean

    def gain(self, first: Floats, second: Floats) -> Floats:
        """Return by how much the second score is better in each draw, (B,)."""
        difference: Floats = self._objective.loss(1.0) * (first - second)
        return difference

    def best_of(self, designs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the best of some designs on each draw, (B,); the first of equals."""
        return np.asarray(designs[np.argmin(self.merits[designs], axis=0)])

    def simplest_of(self, designs: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return, for each draw, the first in `order` of the designs within one paired standard error of the best in each criterion, (B,).

        Args:
            designs: Numbers of the designs.
            order: Rank of each of them, the simplest first.
        """
        best = np.searchsorted(designs, self.best_of(designs))
        near = np.ones((len(designs), len(best)), bool)
        for losses_DFB in self.losses:
            behind_DFB = losses_DFB[designs] - losses_DFB[designs][best, :, np.arange(len(best))].T
            means = np.stack([mean_over(each) for each in behind_DFB])
            errors = np.stack([_standard_error(each) for each in behind_DFB])
            near &= means <= np.where(np.isnan(errors), 0.0, errors)
        near[best, np.arange(len(best))] = True
        ranked = np.where(near, np.asarray(order)[:, None], len(order))
        return np.asarray(designs[ranked.argmin(axis=0)])

    def losses_of(self, outputs: Floats, weights_NB: Floats, objective: Objective | None = None) -> Floats:
        """Return the loss of some outputs in each fold, (F, B), of the metric or of another objective."""
        objective, targets = objective or self._objective, self._kept.targets
        metric, labels = self._kept.task.metric(objective.name), self._kept.task.labels
        values = [metric.on_draws(targets[rows], outputs[rows], weights_NB[rows], labels) for rows in self._folds]
        return objective.loss(1.0) * np.stack(values)


def draw_rows(rng: np.random.Generator, *, strata: NDArray[np.int64], groups: NDArray[np.int64] | None, draws: int) -> Floats:
    """Draw as many rows as there are, with replacement: of each stratum as many as it has; whole groups where there are groups.

    Returns:
        How often each draw holds each row, (N, B).
    """
    weights = np.zeros((len(strata), draws))
    for rows, unit in _units(strata, groups):
        num_units = int(unit.max()) + 1
        counts = rng.multinomial(num_units, np.full(num_units, 1.0 / num_units), size=draws)
        weights[rows] = counts.T[unit]
    return weights


def over_draws(values: Floats) -> tuple[float, float, float]:
    """Return mean, 5 % and 95 % quantile of what the draws gave.

    Raises:
        NotEstimableError: More than half of the draws gave nothing.
    """
    known = values[np.isfinite(values)]
    if 2 * len(known) < len(values) or not len(known):
        raise NotEstimableError("the metric is undefined on most draws of the rows: too few of a class")
    low, high = np.quantile(known, QUANTILES)
    return float(known.mean()), float(low), float(high)


def mean_over(losses_FB: Floats) -> Floats:
    """Return the mean over the folds in which the metric is defined, (B,); NaN where it is in none."""
    defined = np.isfinite(losses_FB)
    counts = defined.sum(axis=0)
    mean: Floats = np.divide(np.where(defined, losses_FB, 0.0).sum(axis=0), counts, out=np.full(len(counts), np.nan), where=counts > 0)
    return mean


def _ranks(values_DB: Floats) -> Floats:
    """Return how many of the values of each draw are lower, (D, B)."""
    from scipy.stats import rankdata

    ranks: Floats = rankdata(values_DB, method="min", axis=0) - 1.0
    return ranks


def _standard_error(values_FB: Floats) -> Floats:
    """Return the standard error of the mean over the folds, (B,); NaN below two folds."""
    defined = np.isfinite(values_FB)
    counts = defined.sum(axis=0)
    centred = np.where(defined, values_FB - mean_over(values_FB), 0.0)
    error: Floats = np.sqrt(
        np.divide((centred**2).sum(axis=0), (counts - 1.0) * counts, out=np.full(len(counts), np.nan), where=counts > 1)
    )
    return error


def _units(strata: NDArray[np.int64], groups: NDArray[np.int64] | None) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return what is drawn from: rows, and the number of the unit that each stands in."""
    if groups is not None:
        return [(np.arange(len(strata)), groups)]
    found = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    return [(rows, np.arange(len(rows))) for rows in found]
