"""The five measures against their equations, one pair at a time; orientation; 0/0."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fusearch.errors import DataError, UnknownNameError
from fusearch.search.ensembles.diversity import DIVERSITIES, count_pairs, pairwise_diversity

ASSOCIATIONS = ("correlation", "q_statistic", "kappa")
ONE_MEMBER = np.zeros(8, dtype=int)


def counts(first: list[bool], second: list[bool]) -> tuple[int, int, int, int]:
    pairs = list(zip(first, second, strict=True))
    return pairs.count((True, True)), pairs.count((True, False)), pairs.count((False, True)), pairs.count((False, False))


def brute_force(name: str, first: list[bool], second: list[bool]) -> float:
    """Kuncheva and Whitaker 2003, table 1 and equations 4 to 8, with a = N11, b = N10, c = N01, d = N00."""
    a, b, c, d = counts(first, second)
    n = a + b + c + d
    if name == "disagreement":
        return (b + c) / n
    if name == "double_fault":
        return 1 - d / n
    if name == "kappa":
        observed = (a + d) / n
        chance = ((a + b) * (a + c) + (c + d) * (b + d)) / n**2
        agreement = None if math.isclose(chance, 1) else (observed - chance) / (1 - chance)
    elif name == "q_statistic":
        agreement = None if a * d + b * c == 0 else (a * d - b * c) / (a * d + b * c)
    else:
        spread = math.sqrt((a + b) * (c + d) * (a + c) * (b + d))
        agreement = None if spread == 0 else (a * d - b * c) / spread
    if agreement is None:
        agreement = 1.0 if first == second else 0.0
    return 1 - agreement


@pytest.mark.parametrize("name", list(DIVERSITIES))
@given(correct_AN=hnp.arrays(np.bool_, st.tuples(st.integers(2, 5), st.integers(1, 9))))
def test_every_pair_agrees_with_the_equation(name: str, correct_AN: np.ndarray) -> None:
    got = pairwise_diversity(correct_AN, np.zeros(correct_AN.shape[1], dtype=int), name)
    for i, first in enumerate(correct_AN.tolist()):
        for j, second in enumerate(correct_AN.tolist()):
            assert got[i, j] == pytest.approx(0.0 if i == j else brute_force(name, first, second), abs=1e-12)


@given(correct_AN=hnp.arrays(np.bool_, st.tuples(st.integers(2, 5), st.integers(1, 9))))
def test_the_correlation_is_numpys(correct_AN: np.ndarray) -> None:
    got = pairwise_diversity(correct_AN, np.zeros(correct_AN.shape[1], dtype=int), "correlation")
    varied = np.flatnonzero(correct_AN.std(axis=1) > 0)
    if len(varied) > 1:
        expected = 1 - np.corrcoef(correct_AN[varied].astype(float))
        np.fill_diagonal(expected, 0.0)
        np.testing.assert_allclose(got[np.ix_(varied, varied)], expected, atol=1e-12)


def test_counts_of_a_pair() -> None:
    pair = count_pairs(np.array([[True, True, True, False, False, False], [True, False, False, True, True, False]]))
    assert [float(each[0, 1]) for each in (pair.n11, pair.n10, pair.n01, pair.n00)] == [1, 2, 2, 1]
    assert [float(each[1, 0]) for each in (pair.n11, pair.n10, pair.n01, pair.n00)] == [1, 2, 2, 1]


@pytest.mark.parametrize("name", list(DIVERSITIES))
def test_the_most_correlated_pair_is_the_least_diverse(name: str) -> None:
    """Three networks of equal accuracy: the second errs where the first does, the third never where the first does."""
    first = [True, True, True, True, True, True, False, False]
    twin = list(first)
    near = [True, True, True, True, True, False, True, False]
    opposite = [False, False, True, True, True, True, True, True]
    diversity = pairwise_diversity(np.array([first, twin, near, opposite]), ONE_MEMBER, name)
    assert diversity[0, 1] < diversity[0, 2] < diversity[0, 3]


@pytest.mark.parametrize("name", ASSOCIATIONS)
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("11111111", "11111111", 0.0),  # both always right: they never differ
        ("00000000", "00000000", 0.0),  # both always wrong
        ("11111111", "11110000", 1.0),  # the first never varies: no association can be seen
        ("00000000", "11110000", 1.0),
        ("11111111", "00000000", 1.0),
    ],
)
def test_zero_by_zero(name: str, first: str, second: str, expected: float) -> None:
    correct = np.array([[letter == "1" for letter in word] for word in (first, second)])
    assert pairwise_diversity(correct, ONE_MEMBER, name)[0, 1] == expected


def test_members_are_averaged_after_the_measure() -> None:
    """Inside each member the pair is perfectly (un)like; pooled, the rows would say something else."""
    first = [True, False, True, True, False, True]
    second = [True, False, False, False, True, False]
    members = np.array([0, 0, 1, 1, 1, 1])
    got = pairwise_diversity(np.array([first, second]), members, "correlation")[0, 1]
    assert got == pytest.approx((0.0 + 2.0) / 2)
    assert got != pytest.approx(brute_force("correlation", first, second))


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match="N > 0"):
        pairwise_diversity(np.zeros((2, 0), dtype=bool), np.zeros(0, dtype=int))
    with pytest.raises(DataError, match=r"shape \(2, 3\) with members of shape \(8,\)"):
        pairwise_diversity(np.zeros((2, 3), dtype=bool), ONE_MEMBER)
    with pytest.raises(UnknownNameError, match="unknown diversity 'correlations': did you mean 'correlation'"):
        pairwise_diversity(np.zeros((2, 8), dtype=bool), ONE_MEMBER, "correlations")
