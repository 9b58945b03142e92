"""A user's own operators, encoders and tasks: both halves in one call. They, and own metrics, follow an evaluator to its workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fusearch.data.kinds import BUILT_IN, KINDS, Kind
from fusearch.evaluators.network.encoder_network import NETWORKS, StageEncoder
from fusearch.evaluators.network.operator_layer import LAYERS, OperatorLayer
from fusearch.evaluators.tasks import TASK_LAYERS, TaskLayer
from fusearch.metrics import METRICS, Metric
from fusearch.registry import PLUGIN_PREFIX, PluginFile, loaded_plugins
from fusearch.search_space import ENCODERS, OPERATORS, Encoder, Operator
from fusearch.tasks import TASKS, Task, task_entry

__all__ = ["Extensions", "encoder_network", "fusion_operator", "prediction_task"]

L = TypeVar("L", bound=type[OperatorLayer])
E = TypeVar("E", bound=type[StageEncoder])
T = TypeVar("T", bound=type[TaskLayer])


def fusion_operator(operator: Operator) -> Callable[[L], L]:
    """Register an operator together with the layer that it decorates.

    Raises:
        FusearchError: The name is taken by another operator, when the decorator is applied.

    Example:
        >>> import torch
        >>> from fusearch.evaluators import OperatorLayer, TokenShape, fusion_operator
        >>> from fusearch.search_space import OPERATORS, Operator
        >>> @fusion_operator(Operator("second", family="tensor", equation="y = x_2"))
        ... class Second(OperatorLayer):
        ...     def __init__(self, shapes, width):
        ...         super().__init__()
        ...         self.out = shapes[1]
        ...
        ...     def forward(self, xs, present, losses=None):
        ...         return xs[1]
        >>> OPERATORS["second"].equation
        'y = x_2'
        >>> from fusearch.evaluators.network.operator_layer import LAYERS
        >>> OPERATORS.remove("second"), LAYERS.remove("second")
        (None, None)
    """

    def register(layer: L) -> L:
        OPERATORS.add(operator.name, operator)
        LAYERS.add(operator.name, layer)
        return layer

    return register


def encoder_network(encoder: Encoder) -> Callable[[E], E]:
    """Register an encoder together with the network that it decorates.

    Raises:
        FusearchError: The name is taken by another encoder, when the decorator is applied.

    Example:
        >>> from torch import nn
        >>> from fusearch.evaluators import StageEncoder
        >>> from fusearch.evaluators.network.operator_layer import TokenShape
        >>> @encoder_network(Encoder("perceptron", kinds=("tabular",), num_stages=lambda params: 1))
        ... class Perceptron(StageEncoder):
        ...     def __init__(self, modality, width, dropout):
        ...         super().__init__(modality, width, dropout)
        ...         self.add(nn.Sequential(nn.Linear(self.shapes[0].width, width), nn.Tanh()), TokenShape(1, width))
        >>> ENCODERS.remove("perceptron"), NETWORKS.remove("perceptron")
        (None, None)
    """

    def register(network: E) -> E:
        ENCODERS.add(encoder.name, encoder)
        NETWORKS.add(encoder.name, network)
        return network

    return register


def prediction_task(task: type[Task]) -> Callable[[T], T]:
    """Register a task together with the layer that it decorates.

    Raises:
        DataError: The task lacks something that every task must say, when the decorator is applied.
        FusearchError: Its kind is taken by another task.

    Example:
        >>> import torch
        >>> from fusearch.evaluators.tasks.regression import RegressionLayer
        >>> from fusearch.tasks.regression import Regression
        >>> class Robust(Regression):
        ...     "One number a sample, some of them far off."
        ...
        ...     kind = "robust"
        >>> @prediction_task(Robust)
        ... class RobustLayer(RegressionLayer):
        ...     def loss(self, logits_BK, targets_B, weights=None):
        ...         return torch.nn.functional.huber_loss(logits_BK[:, 0].float(), targets_B)
        >>> TASKS["robust"]("months").predicts
        'a number, in the units of the target'
        >>> TASKS.remove("robust"), TASK_LAYERS.remove("robust")
        (None, None)
    """

    def register(layer: T) -> T:
        task_entry(task)
        TASK_LAYERS.add(task.kind, layer)
        return layer

    return register


@dataclass(frozen=True)
class Extensions:
    """What is not fusearch's own and an evaluation needs: what a worker process gets beside the package.

    What stands in plug-in files goes as the files, with their text: no other process can import them by name.

    Attributes:
        plugins: Plug-in files.
        operators: Pairs of an entry and its layer.
        encoders: Pairs of an entry and its network.
        tasks: Pairs of an entry and its layer.
        metrics: Metrics.
        kinds: Kinds of modality; what reads their files stays behind, since a worker reads none.
    """

    plugins: tuple[PluginFile, ...] = ()
    operators: tuple[tuple[Operator, type[OperatorLayer]], ...] = ()
    encoders: tuple[tuple[Encoder, type[StageEncoder]], ...] = ()
    tasks: tuple[tuple[type[Task], type[TaskLayer]], ...] = ()
    metrics: tuple[Metric, ...] = ()
    kinds: tuple[Kind, ...] = ()

    @classmethod
    def registered(cls) -> Extensions:
        """Return those registered in this process."""
        return cls(
            loaded_plugins(),
            tuple((OPERATORS[name], LAYERS[name]) for name in LAYERS if _travels(LAYERS[name])),
            tuple((ENCODERS[name], NETWORKS[name]) for name in NETWORKS if _travels(NETWORKS[name])),
            tuple((TASKS[name], TASK_LAYERS[name]) for name in TASK_LAYERS if _travels(TASK_LAYERS[name])),
            tuple(metric for metric in METRICS.values() if _travels(metric.function)),
            tuple(kind for kind in KINDS.values() if kind.name not in BUILT_IN),
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Register as soon as they are read in another process, so that what is read after them can name them."""
        self.__dict__.update(state)
        self.register()

    def register(self) -> None:
        """Register in this process what it does not have yet."""
        for plugin in self.plugins:
            plugin.load()
        for operator, layer in self.operators:
            if operator.name not in OPERATORS:
                fusion_operator(operator)(layer)
        for encoder, network in self.encoders:
            if encoder.name not in ENCODERS:
                encoder_network(encoder)(network)
        for task, task_half in self.tasks:
            if task.kind not in TASKS:
                prediction_task(task)(task_half)
        for metric in self.metrics:
            if metric.name not in METRICS:
                METRICS.add(metric.name, metric)
        for kind in self.kinds:
            if kind.name not in KINDS:
                KINDS.add(kind.name, kind)


def _travels(thing: object) -> bool:
    """Whether it goes to a worker by itself: neither fusearch's own nor of a plug-in file."""
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return module.split(".")[0] != "fusearch" and not module.startswith(PLUGIN_PREFIX)
