"""The suite passes tasks that keep the contract (see `tests/evaluators/tasks`), and finds each way to break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusearch.evaluators.extension import prediction_task
from fusearch.evaluators.tasks import TASK_LAYERS
from fusearch.evaluators.tasks.regression import RegressionLayer
from fusearch.metrics import METRICS, metric
from fusearch.metrics.error_metrics import mae
from fusearch.tasks import TASKS
from fusearch.tasks.regression import Regression
from fusearch.testing import TaskSuite

LAWS = [name for name in dir(TaskSuite) if name.startswith("test_")]


class Dose(Regression):
    """A dose."""

    kind = "dose"
    headline = "dose_mae"


class DoseLayer(RegressionLayer):
    pass


class DoseSuite(TaskSuite):
    name = "dose"

    def label_columns(self, rng: np.random.Generator, rows: int) -> Mapping[str, Any]:
        return {"column": rng.normal(5, 2, rows)}


Register = Callable[..., None]


@pytest.fixture
def register() -> Iterator[Register]:
    metric("dose_mae", direction="minimize", kinds="dose")(mae)

    def add(entry: dict[str, Any] | None = None, layer: dict[str, Any] | None = None) -> None:
        prediction_task(type("Dose", (Dose,), entry or {}))(type("DoseLayer", (DoseLayer,), layer or {}))

    yield add
    METRICS.remove("dose_mae")
    TASKS.remove("dose")
    TASK_LAYERS.remove("dose")


@pytest.mark.parametrize("law", LAWS)
def test_a_task_that_keeps_the_contract_passes(register: Register, law: str) -> None:
    register({"__doc__": "A dose."})
    getattr(DoseSuite(), law)()


def sorted_rows(cls: type[Dose], columns: Any, labels: Any = None) -> Any:
    task, targets = Regression.encode.__func__(cls, columns, labels)  # type: ignore[attr-defined]  # a class method
    return task, np.sort(targets)


def own_stratum(self: Dose, targets: NDArray[Any]) -> NDArray[np.int64]:
    return np.arange(len(targets))


def weighs_late_rows(self: DoseLayer, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
    return ((logits_BK[:, 0].float() - targets_B).square() * torch.arange(len(targets_B))).mean()


def no_gradient(self: DoseLayer, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
    return 0 * logits_BK.float().sum()


def goes_up(self: DoseLayer, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
    return GoesUp.apply(logits_BK.float() - targets_B[:, None])


class GoesUp(torch.autograd.Function):
    """A square with the wrong sign of its gradient."""

    @staticmethod
    def forward(ctx: Any, errors: Tensor) -> Tensor:
        ctx.save_for_backward(errors)
        return errors.square().mean()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return -grad * ctx.saved_tensors[0]


@pytest.mark.parametrize(
    ("entry", "layer", "law"),
    [
        ({"says": " "}, {}, "test_the_entry_says_what_it_is"),
        ({"summary": lambda self, targets: {"mean": targets.mean()}}, {}, "test_the_entry_says_what_it_is"),
        ({"headline": "rmse"}, {}, "test_the_headline_is_a_metric_that_it_has"),
        ({"encode": classmethod(sorted_rows)}, {}, "test_encoding_goes_row_by_row"),
        ({"__reduce__": lambda self: (Regression, ("x",))}, {}, "test_a_task_is_a_value"),
        ({"strata": own_stratum}, {}, "test_strata_are_one_a_row"),
        ({"class_counts": lambda self, targets: {"a": 1}}, {}, "test_classes_are_counted"),
        ({"association": lambda self, values, targets, num_numeric: np.zeros(2)}, {}, "test_association_is_one_a_column"),
        ({}, {"loss": no_gradient}, "test_the_loss_is_finite_and_differentiable"),
        ({}, {"loss": weighs_late_rows}, "test_the_loss_of_a_batch_does_not_hang_on_the_order"),
        ({}, {"loss": goes_up}, "test_the_loss_can_be_learnt"),
        ({}, {"forward": lambda self, logits: logits - logits.mean()}, "test_outputs_are_those_that_are_named"),
        ({}, {"average": lambda self, outputs: outputs.sum(dim=0)}, "test_equal_members_agree_with_the_member"),
        ({}, {"alike": lambda self, targets: targets[:, None] - targets[None]}, "test_operators_can_ask_it"),
        ({}, {"forward": lambda self, logits: torch.as_tensor(logits.detach().numpy())}, "test_it_can_be_exported"),
    ],
)
def test_each_breach_is_found(register: Register, entry: dict[str, Any], layer: dict[str, Any], law: str) -> None:
    register({"__doc__": "A dose.", **entry}, layer)
    with pytest.raises(Exception, match=r".") as found:
        getattr(DoseSuite(), law)()
    assert not isinstance(found.value, AttributeError | NameError)
