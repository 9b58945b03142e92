"""The layers of the operators. Importing this package registers all of them in `LAYERS`, by the names of the operators."""

from __future__ import annotations

from fusearch.evaluators.network.operator_layer import LAYERS, OperatorLayer
from fusearch.evaluators.operators import (
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
    "LAYERS",
    "OperatorLayer",
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
