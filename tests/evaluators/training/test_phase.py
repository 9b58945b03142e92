"""One optimization of a training: its loss as a module."""

from __future__ import annotations

import pytest
import torch

from fusearch.evaluators.training.phase import drop_modalities


def test_modality_dropout_takes_each_modality_with_its_probability() -> None:
    torch.manual_seed(0)
    after = drop_modalities({name: torch.ones(8000, dtype=torch.bool) for name in "abc"}, 0.2)
    for mask in after.values():
        assert (~mask).float().mean() == pytest.approx(0.2 - 0.2**3, abs=0.02)  # a sample that would lose all three keeps them


def test_modality_dropout_never_takes_the_last_modality() -> None:
    torch.manual_seed(0)
    present = {"a": torch.ones(4000, dtype=torch.bool), "b": torch.arange(4000) % 2 == 0}
    after = drop_modalities(present, 0.5)
    assert (after["a"] | after["b"]).all()
    assert not (after["b"] & ~present["b"]).any()
    # Of the rows that have both, one in four would lose both and keeps them: `a` is gone in one in four.
    both = present["b"]
    assert (~after["a"][both]).float().mean() == pytest.approx(0.25, abs=0.04)
    assert drop_modalities({"a": present["a"]}, 0.9)["a"].all()
