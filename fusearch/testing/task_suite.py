"""The conformance suite of tasks. Built-ins and plug-ins pass the same laws. This module itself does not need pytest.

Axis letters: N samples, B batch, K logits, O outputs, M members.
"""

# ruff: noqa: S101  # laws are assertions

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusearch.evaluators.tasks import TASK_LAYERS, TaskLayer, bind_task
from fusearch.metrics import METRICS
from fusearch.tasks import TASKS, Task
from fusearch.tasks.columns import LabelColumn

__all__ = ["TaskSuite"]

ROWS = 40


class TaskSuite:
    """The laws of a task and its torch half.

    Attributes:
        name: Name of the task.

    Example:
        >>> class TestMyTask(TaskSuite):
        ...     name = "my_task"
        ...
        ...     def label_columns(self, rng, rows):
        ...         return {"column": rng.poisson(3, rows)}
    """

    name: str

    def label_columns(self, rng: np.random.Generator, rows: int) -> Mapping[str, Sequence[Any] | NDArray[Any]]:
        """Return the label columns of a data set, by the task's keys."""
        raise NotImplementedError

    @property
    def entry(self) -> type[Task]:
        """The entry of the task."""
        return TASKS[self.name]

    def encoded(self, order: NDArray[np.int64] | None = None, labels: Sequence[str] | None = None) -> tuple[Task, NDArray[Any]]:
        """Return the task and the targets of some rows, in another order where one is given."""
        order = np.arange(ROWS) if order is None else order
        given = self.label_columns(np.random.default_rng(0), ROWS)
        expected = list(given) if self.entry.several else list(self.entry.columns)
        assert list(given) == expected, f"{self.name}: label columns {list(given)}, expected {expected}"
        texts = {key: [str(value) for value in np.asarray(values)[order].tolist()] for key, values in given.items()}
        ids = [f"p{row}" for row in order]
        return self.entry.encode({key: LabelColumn(key, column, ids, "labels.csv") for key, column in texts.items()}, labels)

    def batch(self) -> tuple[TaskLayer, Tensor, Tensor]:
        """Return the torch half, fitted, with logits (B, K) and targets of a batch."""
        task, targets = self.encoded()
        layer = bind_task(task).fit(targets)
        logits_BK = torch.randn(ROWS, layer.num_logits, generator=torch.Generator().manual_seed(0))
        return layer, logits_BK, layer.encode(targets)

    def test_the_entry_says_what_it_is(self) -> None:
        """Every word that a message, a page or a card needs is there, and both halves are bound by the name."""
        task, targets = self.encoded()
        assert self.entry.kind == self.name, f"{self.name}: the entry says kind {self.entry.kind!r}"
        assert self.name in TASK_LAYERS, f"{self.name}: no torch half is bound to it; see `prediction_task`"
        assert self.entry.__doc__, f"{self.name}: a task says what it is in its docstring"
        assert self.entry.columns, f"{self.name}: a task names its label columns"
        assert all(self.entry.columns.values()), f"{self.name}: each label column is described"
        for word in (self.entry.holds, self.entry.says, self.entry.array, task.predicts, task.explained, task.name):
            assert word.strip(), f"{self.name}: an empty word"
        assert task.outputs, f"{self.name}: a model says at least one number"
        assert len(set(task.outputs)) == len(task.outputs), f"{self.name}: two outputs of one name in {task.outputs}"
        assert task.labels or not self.entry.named_classes, f"{self.name}: no class names"
        assert not task.labels or len(task.outputs) >= len(task.labels), f"{self.name}: more labels than outputs to tell apart by them"
        summary = task.summary(targets)
        assert json.loads(json.dumps(summary)) == summary, f"{self.name}: the summary is no JSON"
        assert summary, f"{self.name}: `fusearch check` has nothing to say of targets"

    def test_the_headline_is_a_metric_that_it_has(self) -> None:
        """The headline is registered for the task, and every metric of the task takes its targets and outputs."""
        layer, logits_BK, _ = self.batch()
        task, targets = self.encoded()
        assert self.entry.headline in METRICS, f"{self.name}: no metric {self.entry.headline!r}"
        assert self.entry.headline in task.metrics, f"{self.name}: the metric {self.entry.headline!r} is not one of {self.name}"
        scored = layer.scored(logits_BK)
        for name in task.metrics:
            assert not math.isinf(METRICS[name](targets, scored, task.labels)), f"{self.name}: {name} is infinite"
        assert math.isfinite(METRICS[self.entry.headline](targets, scored, task.labels)), (
            f"{self.name}: the headline is undefined on {ROWS} rows"
        )

    def test_heads_start_where_it_is_better_than_at_zero(self) -> None:
        """What a task has heads start at has no greater loss than 0, with the weights of balanced classes too."""
        layer, logits_BK, targets_B = self.batch()
        for balanced in (False, True):
            weights = layer.loss_weights(targets_B, balanced=balanced)
            said = layer.constant_logits(targets_B, weights)
            if said is None:
                continue
            assert said.shape == (layer.num_logits,), f"{self.name}: heads start at {tuple(said.shape)}, expected ({layer.num_logits},)"
            start, zero = (float(layer.loss(one.expand_as(logits_BK), targets_B, weights)) for one in (said, torch.zeros_like(said)))
            assert start <= zero + 1e-5, f"{self.name}: heads start at a loss of {start:g}, and at 0 it is {zero:g}"

    def test_encoding_goes_row_by_row(self) -> None:
        """Rows in another order give targets in that order; another cohort with the same classes gives the same; nothing is missing."""
        task, targets = self.encoded()
        order = np.random.default_rng(1).permutation(ROWS)
        other, moved = self.encoded(order, task.labels or None)
        assert len(targets) == ROWS, f"{self.name}: {len(targets)} targets of {ROWS} rows"
        assert np.isfinite(targets).all(), f"{self.name}: a target is not finite"
        assert other == task, f"{self.name}: the same rows in another order are another task"
        np.testing.assert_array_equal(moved, targets[order])

    def test_a_task_is_a_value(self) -> None:
        """Encoded twice it is equal, also pickled; with another name it is another one."""
        task, _ = self.encoded()
        assert pickle.loads(pickle.dumps(task)) == task == self.encoded()[0], f"{self.name}: a copy is another task"  # noqa: S301
        assert type(task)("another name", task.labels) != task, f"{self.name}: the name does not count"

    def test_strata_are_one_a_row(self) -> None:
        """Each row has a stratum, counted from 0, that follows the row; most strata have several rows."""
        task, targets = self.encoded()
        strata = task.strata(targets)
        assert strata.shape == (ROWS,), f"{self.name}: strata of shape {strata.shape}, expected ({ROWS},)"
        assert strata.dtype == np.int64, f"{self.name}: strata are {strata.dtype}, expected int64"
        assert strata.min() >= 0, f"{self.name}: a negative stratum"
        assert len(np.unique(strata)) <= ROWS // 2, f"{self.name}: {len(np.unique(strata))} strata of {ROWS} rows"
        order = np.random.default_rng(1).permutation(ROWS)
        np.testing.assert_array_equal(task.strata(targets[order]), strata[order])

    def test_classes_are_counted(self) -> None:
        """Where there are class names, the counts bear these names, and rows are counted."""
        task, targets = self.encoded()
        counts = task.class_counts(targets)
        assert not counts or tuple(counts) == task.labels, f"{self.name}: counts of {tuple(counts)}, expected {task.labels}"
        assert bool(sum(counts.values())) == bool(counts), f"{self.name}: no row has a class"

    def test_the_constant_predictor_says_one_number_an_output(self) -> None:
        """What is said without any input is finite, and scored as outputs are."""
        task, targets = self.encoded()
        constant = task.constant(targets)
        assert constant.shape == (len(task.outputs),), f"{self.name}: {constant.shape} numbers for {len(task.outputs)} outputs"
        assert np.isfinite(constant).all(), f"{self.name}: a number is not finite"

    def test_association_is_one_a_column(self) -> None:
        """How well a column gives the target is told for each column, from 0 to 1."""
        task, targets = self.encoded()
        values = np.random.default_rng(0).normal(size=(ROWS, 3)).astype(np.float32)
        values[:, 2] = np.arange(ROWS) % 2
        values[3, 0] = np.nan
        found = task.association(values, targets, 2)
        assert found.shape == (3,), f"{self.name}: {found.shape}, expected one number a column"
        assert ((found >= 0) & (found <= 1 + 1e-9)).all(), f"{self.name}: {found}, expected numbers from 0 to 1"

    def test_the_loss_is_finite_and_differentiable(self) -> None:
        """A whole batch gives one float32 number, also from half precision and with balanced classes; each logit has a gradient."""
        layer, logits_BK, targets_B = self.batch()
        for weights in (None, layer.class_weights(targets_B)):
            moving_BK = logits_BK.clone().requires_grad_()
            loss = layer.loss(moving_BK, targets_B, weights)
            assert loss.shape == (), f"{self.name}: a loss of shape {tuple(loss.shape)}, expected a scalar"
            assert loss.dtype == torch.float32, f"{self.name}: the loss is {loss.dtype}, expected float32"
            (grad_BK,) = torch.autograd.grad(loss, moving_BK)
            assert loss.isfinite(), f"{self.name}: the loss is {float(loss)}"
            assert grad_BK.isfinite().all(), f"{self.name}: a gradient is not finite"
            assert (grad_BK.abs().sum(dim=0) > 0).all(), f"{self.name}: a logit has no gradient"
        half = layer.loss(logits_BK.bfloat16(), targets_B)
        assert half.dtype == torch.float32, f"{self.name}: the loss of half precision is {half.dtype}, expected float32"

    def test_a_linear_model_is_solved_where_it_says_so(self) -> None:
        """It has a weight of each column and a bias for each logit, and is better than its biases alone."""
        layer, _, targets_N = self.batch()
        solver = layer.solver(balanced=False)
        assert self.entry.solved == (solver is not None), f"{self.name}: `solved` is {self.entry.solved}"
        if solver is None:
            return
        columns_ND = np.random.default_rng(2).normal(size=(ROWS, 3))
        (weight, bias), _ = layer.solve(solver, columns_ND, targets_N)
        assert weight.shape == (layer.num_logits, 3), f"{self.name}: weights of shape {weight.shape}"
        assert bias.shape == (layer.num_logits,), f"{self.name}: biases of shape {bias.shape}"
        assert np.isfinite(weight).all(), f"{self.name}: a weight is not finite"
        fitted = layer.loss(torch.as_tensor(columns_ND @ weight.T + bias), targets_N)
        constant = layer.loss(torch.as_tensor(np.zeros((ROWS, 1)) + bias), targets_N)
        assert fitted < constant, f"{self.name}: what is solved is no better than a constant"

    def test_classes_are_balanced_where_it_says_so(self) -> None:
        """Classes have weights, rows a share of what is drawn, and a gamma of 0 leaves the loss as it is, one of 2 counts the sure less."""
        layer, logits_BK, targets_B = self.batch()
        weights, drawn = layer.class_weights(targets_B), layer.row_weights(targets_B)
        assert self.entry.balances == (weights is not None) == (drawn is not None), f"{self.name}: `balances` is {self.entry.balances}"
        if weights is None or drawn is None:
            return
        assert drawn.shape == (ROWS,), f"{self.name}: weights of rows of shape {tuple(drawn.shape)}, expected ({ROWS},)"
        assert (drawn >= 0).all(), f"{self.name}: a weight of a row is below 0"
        assert drawn.sum() > 0, f"{self.name}: no row is ever drawn"
        for each in (None, weights):
            plain = layer.loss(logits_BK, targets_B, each)
            torch.testing.assert_close(layer.focal_loss(logits_BK, targets_B, torch.tensor(0.0), each), plain)
            assert layer.focal_loss(logits_BK, targets_B, torch.tensor(2.0), each) < plain, f"{self.name}: gamma 2 is no less"

    def test_the_loss_of_a_batch_does_not_hang_on_the_order(self) -> None:
        """Rows may change places together."""
        layer, logits_BK, targets_B = self.batch()
        order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(1))
        torch.testing.assert_close(layer.loss(logits_BK[order], targets_B[order]), layer.loss(logits_BK, targets_B))

    def test_the_loss_can_be_learnt(self) -> None:
        """Small steps against the gradient lower the loss."""
        layer, logits_BK, targets_B = self.batch()
        logits_BK = logits_BK.requires_grad_()
        first = float(layer.loss(logits_BK.detach(), targets_B))
        optimizer = torch.optim.Adam([logits_BK], lr=0.05)
        for _ in range(50):
            optimizer.zero_grad()
            layer.loss(logits_BK, targets_B).backward()  # type: ignore[no-untyped-call]  # torch leaves Tensor.backward untyped
            optimizer.step()
        last = float(layer.loss(logits_BK.detach(), targets_B))
        assert last < first, f"{self.name}: the loss went from {first} to {last}"

    def test_outputs_are_those_that_are_named(self) -> None:
        """A sample has one output for each name, that hangs on its own logits alone; metrics get them, or one number a sample."""
        layer, logits_BK, _ = self.batch()
        outputs_BO, num = layer(logits_BK), len(layer.task.outputs)
        assert outputs_BO.shape == (ROWS, num), f"{self.name}: outputs of shape {tuple(outputs_BO.shape)}, expected ({ROWS}, {num})"
        assert outputs_BO.isfinite().all(), f"{self.name}: an output is not finite"
        torch.testing.assert_close(layer(logits_BK[7:8]), outputs_BO[7:8])
        scored = layer.scored(logits_BK)
        expected = (ROWS, num) if num > 1 else (ROWS,)
        assert scored.shape == expected, f"{self.name}: metrics get {scored.shape}, expected {expected}"

    def test_equal_members_agree_with_the_member(self) -> None:
        """What equal networks say together is what each says, and members may change places."""
        layer, logits_BK, _ = self.batch()
        one, other = layer(logits_BK), layer(logits_BK.flip(0))
        torch.testing.assert_close(layer.average(torch.stack([one, one, one])), one)
        torch.testing.assert_close(layer.average(torch.stack([one, other])), layer.average(torch.stack([other, one])))

    def test_operators_can_ask_it(self) -> None:
        """Errors of voters, certainty, likeness and what is explained have their shapes and ranges, and are finite."""
        layer, logits_BK, targets_B = self.batch()
        residuals = layer.residuals(torch.stack([logits_BK, -logits_BK], dim=1), targets_B)
        assert residuals.shape[:2] == (ROWS, 2), f"{self.name}: residuals of {tuple(residuals.shape)}, expected ({ROWS}, 2, any)"
        more_BK = torch.cat([logits_BK, torch.zeros(ROWS, 2)], dim=1)  # an operator may have more logits than the task
        trust_B, error_B = layer.certainty(more_BK, targets_B)
        alike_BB = layer.alike(targets_B)
        explained_B = layer.explained(logits_BK, logits_BK.argmax(dim=1))
        for what, values, shape in (("certainty", trust_B, (ROWS,)), ("error", error_B, (ROWS,)), ("alike", alike_BB, (ROWS, ROWS))):
            assert values.shape == shape, f"{self.name}: {what} of {tuple(values.shape)}, expected {shape}"
        assert explained_B.shape == (ROWS,), f"{self.name}: explained {tuple(explained_B.shape)}, expected ({ROWS},)"
        for values in (residuals, trust_B, error_B, alike_BB, explained_B):
            assert values.isfinite().all(), f"{self.name}: what an operator asks for is not finite"
        for what, values in (("certainty", trust_B), ("alike", alike_BB)):
            assert ((values >= 0) & (values <= 1)).all(), f"{self.name}: {what} is not from 0 to 1"
        torch.testing.assert_close(alike_BB, alike_BB.T)
        assert (alike_BB.diagonal() == 1).all(), f"{self.name}: a sample is not like itself"

    def test_it_can_be_exported(self) -> None:
        """The outputs are part of a model file: an exported program, with an open batch size, gives the same."""
        layer, logits_BK, _ = self.batch()
        program = torch.export.export(layer, (logits_BK,), dynamic_shapes=({0: torch.export.Dim("batch")},))
        torch.testing.assert_close(program.module()(logits_BK[:5]), layer(logits_BK[:5]))
