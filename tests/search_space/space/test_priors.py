"""The odds of the table in docs/language.md."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from strategies import MODALITIES

from fusearch.data.modality import Modality
from fusearch.search_space import FusionGraph, SearchSpace

DRAWS = 1500


def tables(number: int) -> list[Modality]:
    return [Modality(f"t{index}", "tabular", (4,)) for index in range(number)]


def drawn(space: SearchSpace) -> list[FusionGraph]:
    rng = np.random.default_rng(0)
    return [space.sample(rng).graph for _ in range(DRAWS)]


def used(graph: FusionGraph) -> frozenset[str]:
    return frozenset(stream.modality for stream in graph.streams)


@pytest.mark.parametrize(("number", "odds"), [(2, 0.75), (3, 0.5), (5, 0.5), (7, 0.5)])
def test_half_of_the_designs_use_all_modalities(number: int, odds: float) -> None:
    counts = Counter(len(used(graph)) for graph in drawn(SearchSpace(tables(number))))
    assert counts[number] / DRAWS == pytest.approx(odds, abs=0.04)
    for fewer in range(1, number):
        assert counts[fewer] / DRAWS == pytest.approx((1 - odds) / (number - 1), abs=0.04)


def test_sets_of_one_size_are_alike() -> None:
    pairs = Counter(used(graph) for graph in drawn(SearchSpace(tables(4))) if len(used(graph)) == 2)
    assert len(pairs) == 6
    assert max(pairs.values()) < 1.7 * min(pairs.values())


def test_streams_that_cost_are_also_trained_once() -> None:
    trainings = Counter(graph.training for graph in drawn(SearchSpace(MODALITIES)) if len(graph.fusions) > 1)
    for training in ("joint", "staged", "frozen"):
        assert trainings[training] / trainings.total() == pytest.approx(1 / 3, abs=0.07)
    assert {graph.training for graph in drawn(SearchSpace(tables(3)))} == {"joint", "independent"}


def test_as_many_fusions_of_each_number() -> None:
    counts = Counter(len(graph.fusions) for graph in drawn(SearchSpace(tables(3))) if graph.fusions)
    for number in (1, 2, 3):
        assert counts[number] / counts.total() == pytest.approx(1 / 3, abs=0.05)


def test_operators_of_two_arguments_bound_the_modalities() -> None:
    space = SearchSpace(tables(4), operators=["bilinear"], max_fusions=2)
    assert {len(used(graph)) for graph in drawn(space)} == {1, 2, 3}
