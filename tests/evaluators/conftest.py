"""Settings of torch for the tests of the evaluators."""

from __future__ import annotations

import pytest
import torch
from device_of_tests import DEVICE

from fusearch.errors import EvaluationError
from fusearch.evaluators.device import find_device


@pytest.fixture(autouse=True, scope="session")
def _device() -> None:
    """Skip where the device that is asked for is not there, rather than pass on another one."""
    try:
        find_device(DEVICE)
    except EvaluationError as error:
        pytest.skip(f"FUSEARCH_TEST_DEVICE: {error}")


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Two torch threads beside another busy process are many times slower than one."""
    torch.set_num_threads(1)
