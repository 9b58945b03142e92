"""The layers of the operators. Importing this package registers all of them in `LAYERS`, by the names of the operators."""

from __future__ import annotations

from fusearch.evaluators.layer import LAYERS, OperatorLayer
from fusearch.evaluators.operators import (
    attention,
    bilinear,
    calibration,
    concatenation,
    decision,
    elementwise,
    modality_attention,
    sharing,
)

__all__ = [
    "LAYERS",
    "OperatorLayer",
    "attention",
    "bilinear",
    "calibration",
    "concatenation",
    "decision",
    "elementwise",
    "modality_attention",
    "sharing",
]
