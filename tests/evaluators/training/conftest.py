"""Rows of a fold, and ways in which packs are tested."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from cpu_tape import Tape
from device_of_tests import DEVICE
from toy_data import make_data

from fusearch.evaluators.training.captured import RECORDERS
from fusearch.evaluators.training.members import FoldSamples, prepare_fold


@pytest.fixture(scope="module")
def rows() -> FoldSamples:
    data = make_data()
    return prepare_fold(data, data.folds(None)[0], device=DEVICE)


@pytest.fixture
def taped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note each step at its second run and replay it, as a GPU does: what is compared with the loop are replays."""
    monkeypatch.setitem(RECORDERS, "cpu", Tape)
    monkeypatch.setattr("fusearch.evaluators.training.captured.WARM_UP", 1)


@pytest.fixture
def in_double_precision() -> Iterator[None]:
    """Build networks in float64."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
