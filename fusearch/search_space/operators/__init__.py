"""The operators as data, one module a family. Importing this package registers all of them in `OPERATORS`."""

from __future__ import annotations

from fusearch.search_space.operator import OPERATORS, Operator
from fusearch.search_space.operators import attention, calibration, concatenation, decision, sharing, tensor

__all__ = ["OPERATORS", "Operator", "attention", "calibration", "concatenation", "decision", "sharing", "tensor"]
