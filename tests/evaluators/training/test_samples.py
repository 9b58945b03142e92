"""Samples as tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fusearch.evaluators.training.samples import Samples, make_samples


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
