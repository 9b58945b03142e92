"""NSGA-II finds what listing every subset finds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fusearch.errors import SpaceError
from fusearch.search.ensembles import Predictions, SubsetRules, enumerate_subsets, score_subsets
from fusearch.search.ensembles.nsga2 import _breed, _survive, crowding_distances, evolve_subsets, sample_subsets


@pytest.mark.parametrize("seed", range(5))
def test_it_finds_the_front_of_the_list(make_predictions: Callable[..., Predictions], seed: int) -> None:
    predictions = make_predictions(["image"] * 14 + ["table"] * 4, rows=60, classes=3, members=2, seed=seed)
    listed = score_subsets(predictions, enumerate_subsets(predictions.modalities, SubsetRules()))
    evolved = evolve_subsets(predictions, SubsetRules(), evaluations=20_000, population=100, seed=seed)
    assert len(listed) == 6566
    assert len(evolved) < 0.7 * len(listed), "nearly all subsets were seen: the test says little"
    assert len(listed.front) > 3
    np.testing.assert_array_equal(np.unique(evolved.points[evolved.front], axis=0), np.unique(listed.points[listed.front], axis=0))


def test_it_keeps_the_rules_and_repeats_nothing(make_predictions: Callable[..., Predictions]) -> None:
    predictions = make_predictions(["image"] * 20 + ["table"] * 3)
    rules = SubsetRules(required=("image",), max_per_modality=2, sizes="odd")
    calls: list[tuple[int, int]] = []
    scores = evolve_subsets(predictions, rules, evaluations=130, population=30, progress=lambda *call: calls.append(call))
    assert not rules.violations(scores.subsets, predictions.modalities).any()
    assert len(np.unique(scores.subsets, axis=0)) == len(scores)
    assert calls == [(30, 130), (60, 130), (90, 130), (120, 130)]
    np.testing.assert_array_equal(scores.points, score_subsets(predictions, scores.subsets).points)
    listed = [tuple(subset) for subset in enumerate_subsets(predictions.modalities, rules).tolist()]
    places = [listed.index(tuple(subset)) for subset in scores.subsets.tolist()]
    assert places == sorted(places), "of equal size, earlier candidates come first, as in the list"


def test_the_seed_decides(make_predictions: Callable[..., Predictions]) -> None:
    predictions = make_predictions(["image"] * 12 + ["table"] * 3)
    first, again, other = (evolve_subsets(predictions, SubsetRules(), evaluations=60, population=20, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.subsets, again.subsets)
    assert first.subsets.tolist() != other.subsets.tolist()


def test_ctrl_c_stops_between_generations(make_predictions: Callable[..., Predictions]) -> None:
    def interrupt(done: int, _: int) -> None:
        raise KeyboardInterrupt(done)

    with pytest.raises(KeyboardInterrupt, match="20"):
        evolve_subsets(make_predictions(["image"] * 5 + ["table"] * 3), SubsetRules(), population=20, progress=interrupt)


def test_drawn_subsets_keep_the_rules() -> None:
    rules, modalities = SubsetRules(sizes="odd"), ["image"] * 5 + ["table"]
    drawn = sample_subsets(modalities, rules, 200, np.random.default_rng(0))
    assert len(drawn) == 200
    assert not rules.violations(drawn, modalities).any()
    assert len(np.unique(drawn, axis=0)) == len(enumerate_subsets(modalities, rules)) == 10


def test_rules_that_allow_nothing_are_refused() -> None:
    with pytest.raises(SpaceError, match="no subset of the 2 candidates keeps the rules"):
        sample_subsets(["image", "table"], SubsetRules(sizes="odd"), 10, np.random.default_rng(0))


def test_crowding_distances() -> None:
    """Deb et al. 2002, section III-B, by hand: a front of three with the span 4 x 4, and a front of one."""
    points = np.array([[0.0, 4.0], [1.0, 3.0], [4.0, 0.0], [0.0, 0.0]])
    assert crowding_distances(points, np.array([0, 0, 0, 1])).tolist() == [np.inf, 2.0, np.inf, np.inf]


def test_of_the_last_front_that_fits_the_loneliest_survive() -> None:
    """Of a front of five, two crowd each other at one end; a sixth point is dominated, however lonely."""
    points = np.array([[0.0, 4.0], [0.2, 3.9], [0.3, 3.7], [2.0, 2.0], [4.0, 0.0], [-9.0, -9.0]])
    subsets = np.eye(6, dtype=np.bool_)
    assert set(_survive(subsets, points, 3)[0].argmax(axis=1)) == {0, 3, 4}
    kept, kept_points = _survive(subsets, points, 6)
    assert set(kept[:2].argmax(axis=1)) == {0, 4}, "the best stand first"
    assert kept[2].argmax() == 3
    assert kept[-1].argmax() == 5
    np.testing.assert_array_equal(kept_points, points[kept.argmax(axis=1)])


def test_a_tournament_is_won_by_the_better() -> None:
    parents = np.repeat([[True], [False]], 40, axis=1)
    children = _breed(parents, 500, np.random.default_rng(0))
    assert children.mean() == pytest.approx(3 / 4, abs=0.05), "of two drawn at random, the first stands above the second in three of four"
