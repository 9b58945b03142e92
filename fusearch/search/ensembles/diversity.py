"""How differently networks err: five pairwise measures on which rows each gets right, all oriented so that larger is more diverse.

Counts over rows, for a pair: N11 both right, N10 only the first, N01 only the second, N00 both wrong; N their sum.

References:
    Kuncheva and Whitaker, "Measures of diversity in classifier ensembles", Machine Learning 51 (2003), sections 3.1 and 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError
from fusearch.registry import Registry
from fusearch.search.ensembles.predictions import FloatArray, IntArray

__all__ = ["DIVERSITIES", "Diversity", "PairCounts", "count_pairs", "pairwise_diversity"]

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Counts over rows for all pairs of A networks; each (A, A), float64 holding whole numbers."""

    n11: FloatArray
    n10: FloatArray
    n01: FloatArray
    n00: FloatArray


@dataclass(frozen=True)
class Diversity:
    """A pairwise measure.

    Attributes:
        name: Name in settings and reports.
        measure: From counts to diversity, (A, A); larger is more diverse.
        equation: The equation, in plain text.
    """

    name: str
    measure: Callable[[PairCounts], FloatArray]
    equation: str


DIVERSITIES: Registry[Diversity] = Registry("diversity", plural="diversities")


def count_pairs(correct_AN: BoolArray) -> PairCounts:
    """Count, for every pair of networks, the rows that both, one or neither gets right."""
    right = correct_AN.astype(np.float64)
    n11 = right @ right.T
    each = right.sum(axis=1)
    n10 = each[:, None] - n11
    n01 = each[None, :] - n11
    return PairCounts(n11, n10, n01, correct_AN.shape[1] - n11 - n10 - n01)


def pairwise_diversity(correct_AN: BoolArray, members: IntArray, diversity: Diversity | str = "correlation") -> FloatArray:
    """Return the diversity of every pair of networks, computed inside each member and averaged over members.

    Args:
        correct_AN: Which rows each network gets right, (A, N).
        members: Member of each row, (N,).
        diversity: The measure or its name.

    Returns:
        (A, A), symmetric; larger is more diverse. The diagonal is 0 and means nothing.

    Raises:
        DataError: There are no rows, or their numbers differ.
    """
    if isinstance(diversity, str):
        diversity = DIVERSITIES[diversity]
    if correct_AN.ndim != 2 or members.shape != correct_AN.shape[1:] or not members.size:
        raise DataError(f"correctness of shape {correct_AN.shape} with members of shape {members.shape}, expected (A, N) and (N,), N > 0")
    each = [diversity.measure(count_pairs(correct_AN[:, members == member])) for member in np.unique(members)]
    mean: FloatArray = np.mean(each, axis=0)
    np.fill_diagonal(mean, 0.0)
    return mean


def _association(numerator: FloatArray, denominator: FloatArray, counts: PairCounts) -> FloatArray:
    """Divide; where 0/0 leaves an association undefined it is 1 for a pair that never differs, else 0 (decision 0080)."""
    undefined = np.where((counts.n10 == 0) & (counts.n01 == 0), 1.0, 0.0)
    return np.divide(numerator, denominator, out=undefined, where=denominator > 0)


def _covariance(counts: PairCounts) -> FloatArray:
    return counts.n11 * counts.n00 - counts.n01 * counts.n10


def _correlation(counts: PairCounts) -> FloatArray:
    first = (counts.n11 + counts.n10) * (counts.n01 + counts.n00)
    second = (counts.n11 + counts.n01) * (counts.n10 + counts.n00)
    return 1 - _association(_covariance(counts), np.sqrt(first * second), counts)


def _q_statistic(counts: PairCounts) -> FloatArray:
    return 1 - _association(_covariance(counts), counts.n11 * counts.n00 + counts.n01 * counts.n10, counts)


def _kappa(counts: PairCounts) -> FloatArray:
    chance = (counts.n11 + counts.n10) * (counts.n10 + counts.n00) + (counts.n11 + counts.n01) * (counts.n01 + counts.n00)
    return 1 - _association(2 * _covariance(counts), chance, counts)


def _disagreement(counts: PairCounts) -> FloatArray:
    return (counts.n10 + counts.n01) / (counts.n11 + counts.n10 + counts.n01 + counts.n00)


def _double_fault(counts: PairCounts) -> FloatArray:
    return 1 - counts.n00 / (counts.n11 + counts.n10 + counts.n01 + counts.n00)


for _diversity in (
    Diversity("correlation", _correlation, "1 - (N11 N00 - N01 N10) / sqrt((N11+N10)(N01+N00)(N11+N01)(N10+N00))"),
    Diversity("q_statistic", _q_statistic, "1 - (N11 N00 - N01 N10) / (N11 N00 + N01 N10)"),
    Diversity("disagreement", _disagreement, "(N10 + N01) / N"),
    Diversity("double_fault", _double_fault, "1 - N00 / N"),
    Diversity("kappa", _kappa, "1 - 2 (N11 N00 - N01 N10) / ((N11+N10)(N10+N00) + (N11+N01)(N01+N00))"),
):
    DIVERSITIES.add(_diversity.name, _diversity)
