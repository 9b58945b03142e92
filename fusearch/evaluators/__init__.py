"""HOW GOOD a design is: encoders, operator layers, network, training, cost, export. The room of torch.

Public names are resolved on first use, so that the import itself loads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusearch.lazy import lazy_names

#: Public name -> module that defines it.
_HOMES: dict[str, str] = {
    "FusionNetwork": "fusearch.evaluators.network.network",
    "OperatorLayer": "fusearch.evaluators.network.operator_layer",
    "StageEncoder": "fusearch.evaluators.network.encoder_network",
    "TaskLayer": "fusearch.evaluators.tasks",
    "TokenShape": "fusearch.evaluators.network.operator_layer",
    "TrainingEvaluator": "fusearch.evaluators.evaluator",
    "encoder": "fusearch.evaluators.network.encoder_network",
    "encoder_network": "fusearch.evaluators.extension",
    "fusion_operator": "fusearch.evaluators.extension",
    "operator_layer": "fusearch.evaluators.network.operator_layer",
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
    from fusearch.evaluators.evaluator import TrainingEvaluator
    from fusearch.evaluators.extension import encoder_network, fusion_operator, prediction_task
    from fusearch.evaluators.network.encoder_network import StageEncoder, encoder
    from fusearch.evaluators.network.network import FusionNetwork
    from fusearch.evaluators.network.operator_layer import OperatorLayer, TokenShape, operator_layer
    from fusearch.evaluators.tasks import TaskLayer


__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
