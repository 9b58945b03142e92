"""Settings of torch for the tests of the evaluators."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Two torch threads beside another busy process are many times slower than one."""
    torch.set_num_threads(1)
