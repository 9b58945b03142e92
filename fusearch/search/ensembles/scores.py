"""The two objectives of every subset, and the choice among them. Axis letters: S subsets, A candidates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fusearch.errors import SpaceError
from fusearch.pareto import is_nondominated
from fusearch.search.ensembles.diversity import pairwise_diversity
from fusearch.search.ensembles.predictions import FloatArray, Predictions
from fusearch.search.ensembles.voting import Ties, VoteTable

__all__ = ["OnScored", "Scorer", "SubsetScores", "score_subsets"]

BoolArray = npt.NDArray[np.bool_]

#: `progress(done, total)`, called after each portion of subsets; it may raise to stop.
OnScored = Callable[[int, int], None]

#: Bytes of the largest intermediate array: small enough to stay in a cache, so larger portions are not faster.
_PORTION_BYTES = 4 << 20
#: Objectives are rounded to so many decimals: sums that differ only in the order of their terms must not dominate each other.
_DECIMALS = 12
#: Distances nearer than this are equal; the smaller subset, then the earlier one, is taken.
_EQUAL = 1e-12


@dataclass(frozen=True, eq=False)
class SubsetScores:
    """Subsets with their two objectives, both to be maximized.

    Attributes:
        subsets: Indicators of the candidates taken, (S, A).
        evaluation: Accuracy of the majority vote, (S,).
        diversity: Mean diversity over the pairs of a subset, (S,); 0 for a single candidate.
    """

    subsets: BoolArray
    evaluation: FloatArray
    diversity: FloatArray

    def __post_init__(self) -> None:
        if not len(self.subsets):
            raise SpaceError("no subset of the candidates keeps the rules; expected at least one (are the sizes too narrow?)")

    def __len__(self) -> int:
        return len(self.subsets)

    @cached_property
    def points(self) -> FloatArray:
        """Both objectives, (S, 2)."""
        return np.column_stack([self.evaluation, self.diversity])

    @cached_property
    def scaled(self) -> FloatArray:
        """Both objectives min-max scaled over all subsets, (S, 2); 1 where an objective is the same for all."""
        least, most = self.points.min(axis=0), self.points.max(axis=0)
        span = most - least
        return np.where(span > 0, (self.points - least) / np.where(span > 0, span, 1.0), 1.0)

    @cached_property
    def distances(self) -> FloatArray:
        """Squared distance of each subset to the ideal point (1, 1), after scaling, (S,)."""
        squared: FloatArray = ((1.0 - self.scaled) ** 2).sum(axis=1)
        return squared

    @cached_property
    def chosen(self) -> int:
        """Index of the subset nearest to the ideal point; of equally near ones the smallest, then the first."""
        nearest = np.flatnonzero(self.distances <= self.distances.min() + _EQUAL)
        return int(nearest[np.argmin(self.subsets[nearest].sum(axis=1))])

    @cached_property
    def front(self) -> npt.NDArray[np.int64]:
        """Indices of the subsets that no other dominates."""
        return np.flatnonzero(is_nondominated(self.points, ["maximize", "maximize"]))


def score_subsets(
    predictions: Predictions,
    subsets_SA: BoolArray,
    *,
    diversity: str = "correlation",
    ties: Ties = "probability",
    progress: OnScored | None = None,
) -> SubsetScores:
    """Score every subset on the validation predictions of its candidates.

    Time grows with subsets x candidates x rows x (classes - 1); memory beyond the result stays below a few megabytes.

    Args:
        predictions: What each candidate predicted.
        subsets_SA: The subsets.
        diversity: Name of the measure in `DIVERSITIES`.
        ties: How the tie of a vote is broken.
        progress: Called after each portion of subsets; it may raise to stop.
    """
    if subsets_SA.ndim != 2 or subsets_SA.shape[1] != len(predictions):
        raise SpaceError(f"subsets of shape {subsets_SA.shape} for {len(predictions)} candidates, expected (S, {len(predictions)})")
    return Scorer.of(predictions, diversity=diversity, ties=ties).score(subsets_SA, progress)


@dataclass(frozen=True, eq=False)
class Scorer:
    """What the scores of any subset are made from: the votes of each candidate and the diversity of each pair, computed once."""

    votes: VoteTable
    pairs: FloatArray

    @classmethod
    def of(cls, predictions: Predictions, *, diversity: str = "correlation", ties: Ties = "probability") -> Scorer:
        """Tabulate candidates and pairs."""
        pairs_AA = pairwise_diversity(predictions.correct, predictions.members, diversity)
        return cls(VoteTable.of(predictions, ties), pairs_AA)

    def score(self, subsets_SA: BoolArray, progress: OnScored | None = None) -> SubsetScores:
        """Score every subset, in portions."""
        num_subsets = len(subsets_SA)
        evaluation, diversity = np.empty(num_subsets), np.empty(num_subsets)
        portion = max(1, _PORTION_BYTES // (8 * self.votes.columns))
        for start in range(0, num_subsets, portion):
            part = slice(start, start + portion)
            evaluation[part] = self.votes.accuracy(subsets_SA[part])
            diversity[part] = mean_over_pairs(subsets_SA[part], self.pairs)
            if progress is not None:
                progress(min(start + portion, num_subsets), num_subsets)
        return SubsetScores(subsets_SA, np.round(evaluation, _DECIMALS), np.round(diversity, _DECIMALS))


def mean_over_pairs(subsets_SA: BoolArray, pairs_AA: FloatArray) -> FloatArray:
    """Return the mean (S,) of a symmetric pairwise quantity with diagonal 0 over the pairs of each subset; 0 without a pair."""
    taken = subsets_SA.astype(np.float64)
    total = ((taken @ pairs_AA) * taken).sum(axis=1)
    sizes = taken.sum(axis=1)
    mean: FloatArray = total / np.maximum(sizes * (sizes - 1), 1.0)
    return mean
