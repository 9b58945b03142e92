"""Majority votes against counting by hand; ties."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from fusearch.errors import DataError
from fusearch.search.ensembles import Predictions, majority_vote
from fusearch.search.ensembles.voting import Ties, VoteTable


def count_by_hand(probabilities_AC: list[list[float]], ties: Ties) -> int:
    """One row: count votes, break a tie by the summed probabilities in exact fractions, then by the lowest class."""
    num_classes = len(probabilities_AC[0])
    votes = [0] * num_classes
    for row in probabilities_AC:
        votes[row.index(max(row))] += 1
    tied = [code for code in range(num_classes) if votes[code] == max(votes)]
    if ties == "lowest":
        return tied[0]
    total = [sum(Fraction(row[code]) for row in probabilities_AC) for code in range(num_classes)]
    return max(tied, key=lambda code: (total[code], -code))


@pytest.mark.parametrize("ties", ["probability", "lowest"])
@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_every_subset_votes_as_counted_by_hand(make_predictions: Callable[..., Predictions], classes: int, seed: int, ties: Ties) -> None:
    predictions = make_predictions(["m"] * 5, rows=24, classes=classes, members=3, seed=seed)
    subsets = np.array([[bool(code >> bit & 1) for bit in range(5)] for code in range(1, 32)])
    got = VoteTable.of(predictions, ties).accuracy(subsets)
    for subset, accuracy in zip(subsets, got, strict=True):
        taken = predictions.probabilities[subset]
        voted = [count_by_hand(taken[:, row].tolist(), ties) for row in range(24)]
        assert majority_vote(taken, ties).tolist() == voted
        right = np.array(voted) == predictions.targets
        by_member = [right[predictions.members == member].mean() for member in np.unique(predictions.members)]
        assert accuracy == pytest.approx(np.mean(by_member), abs=1e-12)


def test_a_tie_goes_to_the_more_probable_class_or_to_the_lowest() -> None:
    pair = np.array([[[0.6, 0.4]], [[0.1, 0.9]]])
    assert majority_vote(pair).tolist() == [1]
    assert majority_vote(pair, "lowest").tolist() == [0]


def test_a_tie_of_votes_and_probabilities_goes_to_the_lowest_class() -> None:
    pair = np.array([[[0.25, 0.75]], [[0.75, 0.25]]])
    assert majority_vote(pair).tolist() == [0]
    for target, right in ((0, 1.0), (1, 0.0)):
        predictions = Predictions(("a", "b"), ("m", "m"), pair, np.array([target]), np.array([0]))
        assert VoteTable.of(predictions).accuracy(np.ones((1, 2), dtype=bool)).tolist() == [right]


def test_probabilities_only_break_ties() -> None:
    """Two lukewarm votes beat one of certainty: the vote is hard."""
    three = np.array([[[0.51, 0.49]], [[0.51, 0.49]], [[0.0, 1.0]]])
    assert majority_vote(three).tolist() == [0]


def test_the_order_of_the_voters_never_matters() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), size=(6, 200)).astype(np.float32)
    votes = majority_vote(probabilities)
    for _ in range(5):
        assert (majority_vote(rng.permutation(probabilities)) == votes).all()


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match="ties 'random', expected 'probability' or 'lowest'"):
        majority_vote(np.full((1, 1, 2), 0.5), "random")
    one_class = Predictions(("a",), ("m",), np.ones((1, 1, 1)), np.array([0]), np.array([0]))
    with pytest.raises(DataError, match="a vote over 1 class, expected two or more"):
        VoteTable.of(one_class)
