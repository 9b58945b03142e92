"""Where tests of evaluators compute: `FUSEARCH_TEST_DEVICE=cuda pytest tests/evaluators`."""

from __future__ import annotations

import os

__all__ = ["DEVICE"]

#: Name of a device; the CPU where nothing is said, also where there is a GPU.
DEVICE = os.environ.get("FUSEARCH_TEST_DEVICE", "cpu")
