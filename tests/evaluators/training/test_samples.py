"""Samples as tensors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fusearch.data import Dataset
from fusearch.evaluators.training.samples import Samples, deal_parts, make_samples


@pytest.fixture
def samples() -> Samples:
    inputs = {"a": np.arange(10.0).reshape(5, 2), "b": np.zeros((5, 3))}
    return make_samples(inputs, {"a": np.ones(5, bool), "b": np.arange(5) > 1}, torch.tensor([0, 1, 0, 1, 1]))


def test_arrays_become_float_tensors_masks_and_codes(samples: Samples) -> None:
    assert samples.inputs["a"].dtype == torch.float32
    assert samples.present["b"].tolist() == [False, False, True, True, True]
    assert samples.targets.dtype == torch.int64
    assert len(samples) == 5


def test_take_follows_the_index_everywhere(samples: Samples) -> None:
    taken = samples.take(torch.tensor([3, 0]))
    assert taken.inputs["a"].tolist() == [[6.0, 7.0], [0.0, 1.0]]
    assert taken.present["b"].tolist() == [True, False]
    assert taken.targets.tolist() == [1, 0]


def test_parts_go_along(samples: Samples) -> None:
    dealt = make_samples({"a": np.zeros((3, 2))}, {"a": np.ones(3, bool)}, torch.tensor([0, 1, 0]), parts=np.array([2, 0, 1]))
    assert dealt.parts is not None
    taken = dealt.take(torch.tensor([1, 0])).only({"a"}).without("a").parts
    assert taken is not None
    assert taken.tolist() == [0, 2]
    assert samples.take(torch.tensor([1])).parts is None


def test_rows_are_dealt_into_three_parts_by_strata_and_whole_groups_always_alike() -> None:
    rng = np.random.default_rng(0)
    targets, groups = np.arange(60) % 2, np.arange(60) // 4
    tables = {"a": rng.normal(size=(60, 2))}
    rows = np.arange(7, 55)
    alone, grouped = (Dataset.from_arrays("d", modalities=tables, targets=targets, groups=each) for each in (None, groups))
    parts = deal_parts(alone, rows)
    assert parts is not None
    assert np.bincount(2 * parts + targets[rows]).tolist() == [8] * 6
    np.testing.assert_array_equal(deal_parts(alone, rows), parts)
    parts = deal_parts(grouped, rows)
    assert parts is not None
    assert set(parts) == {0, 1, 2}
    assert all(len(set(parts[groups[rows] == group])) == 1 for group in groups[rows])


def test_each_part_is_held_out_once(samples: Samples) -> None:
    dealt = replace(samples, parts=torch.tensor([0, 2, 1, 0, 2]))
    sides = list(dealt.sides())
    assert [held.nonzero().flatten().tolist() for _, held in sides] == [[0, 3], [2], [1, 4]]
    assert all(torch.equal(seen, ~held) for seen, held in sides)
    assert list(samples.sides()) == []


def test_too_few_rows_or_groups_are_not_dealt() -> None:
    tables = {"a": np.arange(12.0).reshape(6, 2)}
    targets = np.array([0, 1, 0, 1, 0, 1])
    grouped = Dataset.from_arrays("d", modalities=tables, targets=targets, groups=[0, 0, 0, 1, 1, 1], splits=["train"] * 6)
    assert deal_parts(grouped, np.arange(6)) is None
    alone = Dataset.from_arrays("d", modalities=tables, targets=targets, splits=["train"] * 6)
    assert deal_parts(alone, np.array([0, 1])) is None
    assert deal_parts(alone, np.arange(6)) is not None


def test_portions_are_all_samples_in_order(samples: Samples) -> None:
    assert [len(part) for part in samples.portions(2)] == [2, 2, 1]
    assert torch.cat([part.targets for part in samples.portions(2)]).tolist() == samples.targets.tolist()
    assert next(samples.portions(5)) is samples


def test_only_drops_what_a_design_does_not_read(samples: Samples) -> None:
    assert list(samples.only({"b"}).inputs) == list(samples.only({"b"}).present) == ["b"]


def test_without_hides_a_modality_and_leaves_the_original_alone(samples: Samples) -> None:
    assert not samples.without("b").present["b"].any()
    assert samples.without("b").present["a"].all()
    assert samples.present["b"].any()


def test_masks_of_what_nobody_lacks_are_not_looked_up(samples: Samples) -> None:
    assert samples.complete == {"a"}
    masks = samples.masks(torch.tensor([4, 0, 2]))
    assert masks["a"].tolist() == [True] * 3
    assert masks["b"].tolist() == [True, False, True]
    assert samples.without("a").complete == frozenset()


def test_large_samples_come_in_smaller_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusearch.evaluators.training.samples.PORTION_VALUES", 40)
    inputs = {"image": torch.zeros(10, 2, 3, 3), "table": torch.zeros(10, 2)}
    samples = Samples(inputs, {name: torch.ones(10, dtype=torch.bool) for name in inputs}, torch.arange(10))
    assert [len(part) for part in samples.portions()] == [2] * 5, "20 values each"
    assert [len(part) for part in samples.only({"table"}).portions()] == [10]
    assert [len(part) for part in samples.portions(7)] == [7, 3], "as many as are asked for"
