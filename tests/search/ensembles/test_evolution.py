"""NSGA-II finds what listing every subset finds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fusearch.errors import SpaceError
from fusearch.search.ensembles import Predictions, SubsetRules, enumerate_subsets, score_subsets
from fusearch.search.ensembles.evolution import evolve_subsets, sample_subset


def test_it_finds_the_front_of_the_list(make_predictions: Callable[..., Predictions]) -> None:
    predictions = make_predictions(["image"] * 6 + ["table"] * 3, rows=60, classes=3, members=2)
    listed = score_subsets(predictions, enumerate_subsets(predictions.modalities, SubsetRules()))
    evolved = evolve_subsets(predictions, SubsetRules(), evaluations=900, population=40)
    assert len(listed) == 287
    assert len(evolved) < len(listed), "all subsets were seen: the test says nothing"
    assert len(listed.front) > 3
    np.testing.assert_array_equal(np.unique(evolved.points[evolved.front], axis=0), np.unique(listed.points[listed.front], axis=0))


def test_it_keeps_the_rules_and_repeats_nothing(make_predictions: Callable[..., Predictions]) -> None:
    predictions = make_predictions(["image"] * 20 + ["table"] * 3)
    rules = SubsetRules(required=("image",), max_per_modality=2, sizes="odd")
    calls: list[int] = []
    scores = evolve_subsets(predictions, rules, evaluations=120, population=30, progress=lambda done, _: calls.append(done))
    assert not rules.violations(scores.subsets, predictions.modalities).any()
    assert len(np.unique(scores.subsets, axis=0)) == len(scores)
    assert calls == list(range(1, 121))
    sizes = scores.subsets.sum(axis=1)
    assert (np.diff(sizes) >= 0).all()


def test_the_seed_decides(make_predictions: Callable[..., Predictions]) -> None:
    predictions = make_predictions(["image"] * 12 + ["table"] * 3)
    first, again, other = (evolve_subsets(predictions, SubsetRules(), evaluations=60, population=20, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.subsets, again.subsets)
    assert first.subsets.tolist() != other.subsets.tolist()


def test_drawn_subsets_keep_the_rules() -> None:
    rng, rules = np.random.default_rng(0), SubsetRules(sizes="odd")
    modalities = ["image"] * 5 + ["table"]
    drawn = np.stack([sample_subset(modalities, rules, rng) for _ in range(200)])
    assert not rules.violations(drawn, modalities).any()
    assert len(np.unique(drawn, axis=0)) == len(enumerate_subsets(modalities, rules)) == 10


def test_rules_that_allow_nothing_are_refused() -> None:
    with pytest.raises(SpaceError, match="no subset of the 2 candidates keeps"):
        sample_subset(["image", "table"], SubsetRules(sizes="odd"), np.random.default_rng(0))
