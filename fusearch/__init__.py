"""Neural architecture search over multimodal fusion design: when, which and how to fuse.

Public names are resolved on first use: importing fusearch loads neither torch nor ray.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusearch.lazy import lazy_names
from fusearch.version import __version__

#: Public name -> module that defines it.
_HOMES: dict[str, str] = {
    "Budget": "fusearch.contracts",
    "Candidate": "fusearch.search_space",
    "Dataset": "fusearch.data",
    "Evaluation": "fusearch.contracts",
    "Evaluator": "fusearch.contracts",
    "FusearchError": "fusearch.errors",
    "FusionClassifier": "fusearch.estimators",
    "FusionGraph": "fusearch.search_space",
    "FusionNetwork": "fusearch.evaluators",
    "FusionPattern": "fusearch.search_space",
    "FusionRegressor": "fusearch.estimators",
    "FusionSurvival": "fusearch.estimators",
    "Modality": "fusearch.data.modality",
    "Objective": "fusearch.contracts",
    "Operator": "fusearch.search_space",
    "PUBLISHED": "fusearch.search_space",
    "Recipe": "fusearch.search_space",
    "Run": "fusearch.run",
    "SearchSpace": "fusearch.search_space",
    "Settings": "fusearch.settings",
    "SliceDict": "fusearch.estimators",
    "Task": "fusearch.tasks",
    "TrainedNetwork": "fusearch.evaluators.export",
    "TrainingEvaluator": "fusearch.evaluators",
    "check": "fusearch.evaluators.checked",
    "compare": "fusearch.reports",
    "confirm": "fusearch.evaluators.export",
    "data_set": "fusearch.data",
    "encoder_network": "fusearch.evaluators",
    "explain": "fusearch.evaluators.explanation.explain",
    "export": "fusearch.evaluators.export",
    "fitting_designs": "fusearch.search_space",
    "front_figure": "fusearch.reports",
    "fusion_operator": "fusearch.evaluators",
    "load_data": "fusearch.data",
    "load_network": "fusearch.evaluators.export",
    "load_networks": "fusearch.evaluators.export",
    "metric": "fusearch.metrics",
    "prediction_task": "fusearch.evaluators",
    "run_search": "fusearch.search",
    "sampler_builder": "fusearch.search",
    "show": "fusearch.evaluators.shown",
    "write_report": "fusearch.reports",
}

__all__ = [
    "PUBLISHED",
    "Budget",
    "Candidate",
    "Dataset",
    "Evaluation",
    "Evaluator",
    "FusearchError",
    "FusionClassifier",
    "FusionGraph",
    "FusionNetwork",
    "FusionPattern",
    "FusionRegressor",
    "FusionSurvival",
    "Modality",
    "Objective",
    "Operator",
    "Recipe",
    "Run",
    "SearchSpace",
    "Settings",
    "SliceDict",
    "Task",
    "TrainedNetwork",
    "TrainingEvaluator",
    "__version__",
    "check",
    "compare",
    "confirm",
    "data_set",
    "encoder_network",
    "explain",
    "export",
    "fitting_designs",
    "front_figure",
    "fusion_operator",
    "load_data",
    "load_network",
    "load_networks",
    "metric",
    "prediction_task",
    "run_search",
    "sampler_builder",
    "show",
    "write_report",
]

if TYPE_CHECKING:
    from fusearch.contracts import Budget, Evaluation, Evaluator, Objective
    from fusearch.data import Dataset, data_set, load_data
    from fusearch.data.modality import Modality
    from fusearch.errors import FusearchError
    from fusearch.estimators import FusionClassifier, FusionRegressor, FusionSurvival, SliceDict
    from fusearch.evaluators import FusionNetwork, TrainingEvaluator, encoder_network, fusion_operator, prediction_task
    from fusearch.evaluators.checked import check
    from fusearch.evaluators.explanation.explain import explain
    from fusearch.evaluators.export import TrainedNetwork, confirm, export, load_network, load_networks
    from fusearch.evaluators.shown import show
    from fusearch.metrics import metric
    from fusearch.reports import compare, front_figure, write_report
    from fusearch.run import Run
    from fusearch.search import run_search, sampler_builder
    from fusearch.search_space import PUBLISHED, Candidate, FusionGraph, FusionPattern, Operator, Recipe, SearchSpace, fitting_designs
    from fusearch.settings import Settings
    from fusearch.tasks import Task


__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
