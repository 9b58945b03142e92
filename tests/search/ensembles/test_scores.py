"""Both objectives of every subset against loops over the equations; scaling; the choice; stopping."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable

import numpy as np
import pytest

from fusearch.errors import SpaceError
from fusearch.search.ensembles import (
    DIVERSITIES,
    Predictions,
    SubsetRules,
    SubsetScores,
    enumerate_subsets,
    pairwise_diversity,
    score_subsets,
)
from fusearch.search.ensembles.scores import mean_over_pairs


def scores_of(evaluation: list[float], diversity: list[float], sizes: list[int] | None = None) -> SubsetScores:
    width = max(sizes or [1])
    subsets = np.array([[index < size for index in range(width)] for size in sizes or [1] * len(evaluation)])
    return SubsetScores(subsets, np.array(evaluation), np.array(diversity))


@pytest.mark.parametrize("name", list(DIVERSITIES))
def test_diversity_of_a_subset_is_the_mean_over_its_pairs(make_predictions: Callable[..., Predictions], name: str) -> None:
    predictions = make_predictions(["image"] * 4 + ["table"] * 2, rows=25, members=2)
    subsets = enumerate_subsets(predictions.modalities, SubsetRules())
    scores = score_subsets(predictions, subsets, diversity=name)
    pairs = pairwise_diversity(predictions.correct, predictions.members, name)
    for subset, diversity in zip(subsets, scores.diversity, strict=True):
        taken = np.flatnonzero(subset)
        assert diversity == pytest.approx(np.mean([pairs[i, j] for i, j in itertools.combinations(taken, 2)]))


def test_a_single_network_has_no_diversity() -> None:
    assert mean_over_pairs(np.array([[True, False]]), np.array([[0.0, 0.7], [0.7, 0.0]])).tolist() == [0.0]


def test_both_objectives_are_scaled_over_all_subsets_and_the_nearest_to_one_one_is_chosen() -> None:
    scores = scores_of([0.6, 0.7, 0.8], [0.9, 0.8, 0.1])
    np.testing.assert_allclose(scores.scaled, [[0, 1], [0.5, 0.875], [1, 0]])
    np.testing.assert_allclose(scores.distances, [1, 0.25 + 0.125**2, 1])
    assert scores.chosen == 1
    assert scores.front.tolist() == [0, 1, 2]


def test_an_objective_that_never_varies_decides_nothing() -> None:
    scores = scores_of([0.5, 0.5, 0.5], [0.1, 0.3, 0.2])
    assert scores.scaled[:, 0].tolist() == [1, 1, 1]
    assert scores.chosen == 1
    assert scores.front.tolist() == [1]


def test_of_equally_near_subsets_the_smallest_then_the_first_is_taken() -> None:
    assert scores_of([0.9, 0.8, 0.9], [0.1, 0.2, 0.1], sizes=[3, 2, 1]).chosen == 2
    assert scores_of([0.9, 0.9], [0.1, 0.1], sizes=[2, 2]).chosen == 0


def test_the_scores_do_not_depend_on_the_portions(make_predictions: Callable[..., Predictions], monkeypatch: pytest.MonkeyPatch) -> None:
    predictions = make_predictions(["image"] * 6 + ["table"] * 3, rows=40, classes=3)
    subsets = enumerate_subsets(predictions.modalities, SubsetRules())
    whole = score_subsets(predictions, subsets)
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr("fusearch.search.ensembles.scores._PORTION_BYTES", 8 * 80 * 10)
    portions = score_subsets(predictions, subsets, progress=lambda done, total: seen.append((done, total)))
    np.testing.assert_array_equal(portions.points, whole.points)
    assert [done for done, _ in seen] == [*range(10, len(subsets), 10), len(subsets)]
    assert {total for _, total in seen} == {len(subsets)}


def test_ctrl_c_stops_between_portions(make_predictions: Callable[..., Predictions], monkeypatch: pytest.MonkeyPatch) -> None:
    predictions = make_predictions(["image"] * 6 + ["table"] * 3)
    monkeypatch.setattr("fusearch.search.ensembles.scores._PORTION_BYTES", 8 * 30 * 10)
    done: list[int] = []

    def interrupt(count: int, _: int) -> None:
        done.append(count)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        score_subsets(predictions, enumerate_subsets(predictions.modalities, SubsetRules()), progress=interrupt)
    assert done == [10]


def test_nothing_to_choose_from_is_refused(make_predictions: Callable[..., Predictions]) -> None:
    with pytest.raises(SpaceError, match="no subset of the candidates keeps the rules"):
        score_subsets(make_predictions(["image"]), np.zeros((0, 1), dtype=bool))
    with pytest.raises(SpaceError, match=r"shape \(1, 2\) for 1 candidates, expected \(S, 1\)"):
        score_subsets(make_predictions(["image"]), np.ones((1, 2), dtype=bool))
