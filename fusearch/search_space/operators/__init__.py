"""The operators as data, each in a file of the same name as its layer's. Importing this package registers all of them in `OPERATORS`."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.operators import (
    agreement,
    attention,
    bilinear,
    bilinear_attention,
    calibration,
    concatenation,
    confidence,
    decision,
    dynamic,
    elementwise,
    gates,
    modality_attention,
    outer_cnn,
    pretexts,
    recurrent,
    sharing,
    sketch,
)

__all__ = [
    "OPERATORS",
    "Operator",
    "agreement",
    "attention",
    "bilinear",
    "bilinear_attention",
    "calibration",
    "concatenation",
    "confidence",
    "decision",
    "dynamic",
    "elementwise",
    "gates",
    "modality_attention",
    "outer_cnn",
    "pretexts",
    "recurrent",
    "sharing",
    "sketch",
]
