"""HOW GOOD a design is: encoders, operator layers, network, training, cost, export. The room of torch.

Public names are resolved on first use, so that the import itself loads nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

#: Public name -> module that defines it.
_HOMES: dict[str, str] = {
    "FusionNetwork": "fusearch.evaluators.network",
    "OperatorLayer": "fusearch.evaluators.layer",
    "StageEncoder": "fusearch.evaluators.encoder",
    "TaskLayer": "fusearch.evaluators.tasks",
    "TokenShape": "fusearch.evaluators.layer",
    "TrainingEvaluator": "fusearch.evaluators.evaluator",
    "encoder": "fusearch.evaluators.encoder",
    "encoder_network": "fusearch.evaluators.extension",
    "fusion_operator": "fusearch.evaluators.extension",
    "operator_layer": "fusearch.evaluators.layer",
    "prediction_task": "fusearch.evaluators.extension",
}

__all__ = [
    "FusionNetwork",
    "OperatorLayer",
    "StageEncoder",
    "TaskLayer",
    "TokenShape",
    "TrainingEvaluator",
    "encoder",
    "encoder_network",
    "fusion_operator",
    "operator_layer",
    "prediction_task",
]

if TYPE_CHECKING:
    from fusearch.evaluators.encoder import StageEncoder, encoder
    from fusearch.evaluators.evaluator import TrainingEvaluator
    from fusearch.evaluators.extension import encoder_network, fusion_operator, prediction_task
    from fusearch.evaluators.layer import OperatorLayer, TokenShape, operator_layer
    from fusearch.evaluators.network import FusionNetwork
    from fusearch.evaluators.tasks import TaskLayer


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fusearch.evaluators' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
