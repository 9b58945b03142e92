from __future__ import annotations

from typing import cast

import numpy as np
import pytest
import torch

from fusearch.evaluators.tasks import TaskLayer, bind_task
from fusearch.evaluators.tasks.several import SeveralTasksLayer
from fusearch.tasks import TASKS, SeveralTasks, TaskPart

RNG = np.random.default_rng(0)
ROWS = 40
FOLLOWED = np.stack([RNG.exponential(1, ROWS), RNG.integers(0, 2, ROWS)], 1).astype(np.float32)
KINDS = {
    "classes": (TASKS["classification"]("c", ("a", "b", "c")), RNG.integers(0, 3, ROWS)),
    "number": (TASKS["regression"]("n"), RNG.normal(5, 3, ROWS).astype(np.float32)),
    "labels": (TASKS["multilabel"]("l", ("x", "y")), RNG.integers(0, 2, (ROWS, 2)).astype(np.float32)),
    "cox": (TASKS["survival"]("t", ("1", "2")), FOLLOWED),
    "steps": (TASKS["discrete_survival"]("t", ("1", "2")), FOLLOWED),
}
KNOWN = RNG.random(ROWS) < 0.7


def test_heads_start_at_those_of_each_task() -> None:
    layer, targets = several()
    encoded = layer.encode(targets)
    every = layer.constant_logits(encoded, layer.loss_weights(encoded, balanced=False))
    for (name, columns), (own, _) in zip(layer.logit_columns.items(), map(layer_of, KINDS), strict=True):
        rows = KINDS[name][1] if name == "number" else KINDS[name][1][KNOWN]
        said = own.constant_logits(own.encode(rows))
        expected = torch.zeros(own.num_logits) if said is None or name == "classes" else said  # of balanced classes all are alike
        torch.testing.assert_close(every[columns], expected, atol=1e-5, rtol=0)
    assert every[layer.logit_columns["labels"]].abs().sum() > 0


def layer_of(name: str) -> tuple[TaskLayer, torch.Tensor]:
    task, targets = KINDS[name]
    layer = bind_task(task).fit(targets)
    return layer, layer.encode(targets)


def several(**weights: float) -> tuple[SeveralTasksLayer, np.ndarray]:
    parts = [TaskPart.of(name, *KINDS[name], weight=weights.get(name, 1.0), balanced=name == "classes" or None) for name in KINDS]
    every = [np.ones(ROWS, bool) if part.name == "number" else KNOWN for part in parts]
    spread = [part.spread(KINDS[part.name][1][rows], rows) for part, rows in zip(parts, every, strict=True)]
    targets = np.concatenate(spread, axis=1)
    return cast("SeveralTasksLayer", bind_task(SeveralTasks.of(parts))).fit(targets), targets


@pytest.mark.parametrize("name", KINDS)
def test_the_loss_of_known_rows_is_that_of_these_rows_alone(name: str) -> None:
    layer, targets = layer_of(name)
    logits, known = torch.randn(ROWS, layer.num_logits), torch.tensor(KNOWN)
    weights = layer.class_weights(targets)
    zeroed = torch.where(known.reshape(-1, *[1] * (targets.ndim - 1)), targets, torch.zeros_like(targets))
    for each in (None, weights):
        expected = layer.loss(logits[known], targets[known], each)
        assert torch.allclose(layer.loss_of_known(logits, zeroed, known, each), expected, rtol=1e-5)
        assert torch.allclose(TaskLayer.loss_of_known(layer, logits, zeroed, known, each), expected, rtol=1e-5)
    assert layer.loss_of_known(logits, zeroed, torch.zeros_like(known)).item() == 0


def test_the_loss_is_the_weighted_sum_and_gradients_are_finite() -> None:
    layer, targets = several(number=0.25)
    encoded, logits = layer.encode(targets), torch.randn(ROWS, layer.num_logits, requires_grad=True)
    expected = torch.zeros(())
    for part, own in zip(layer.several.parts, layer.layers, strict=True):
        rows = torch.ones(ROWS, dtype=torch.bool) if part.name == "number" else torch.tensor(KNOWN)
        values = cast("TaskLayer", own).encode(KINDS[part.name][1])
        expected = expected + part.weight * cast("TaskLayer", own).loss(logits[rows][:, layer.logit_columns[part.name]], values[rows])
    loss = layer.loss(logits, encoded)
    assert torch.allclose(loss, expected, rtol=1e-5)
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_classes_of_one_task_may_be_balanced_whatever_the_recipe_says() -> None:
    layer, targets = several()
    weights = layer.loss_weights(layer.encode(targets), balanced=False)
    assert weights is not None
    assert weights.shape == (3 + 4,)
    counts = np.bincount(KINDS["classes"][1][KNOWN], minlength=3)
    assert weights[:3].tolist() == pytest.approx((KNOWN.sum() / (3 * counts)).tolist())
    assert weights[3:].tolist() == [1.0] * 4


def test_outputs_stand_side_by_side_in_the_units_of_each_target() -> None:
    layer, targets = several()
    logits = torch.randn(ROWS, layer.num_logits)
    settled = layer.settled(lambda: logits, layer.encode(targets))
    outputs = settled(logits)
    assert outputs.shape == (ROWS, len(layer.task.outputs))
    assert outputs.isfinite().all()
    assert torch.allclose(outputs[:, :3].sum(dim=1), torch.ones(ROWS))
    assert torch.allclose(settled.average(torch.stack([outputs, outputs])), outputs)
    assert settled.layers[3].baseline != layer.layers[3].baseline


def test_what_operators_ask_of_rows_without_a_label_is_finite() -> None:
    layer, targets = several()
    encoded, logits = layer.encode(targets), torch.randn(ROWS, layer.num_logits)
    probability, error = layer.certainty(logits, encoded)
    assert probability.isfinite().all()
    assert error.isfinite().all()
    alike = layer.alike(encoded)
    assert ((alike >= 0) & (alike <= 1)).all()
    residuals = layer.residuals(logits[:, None].expand(-1, 2, -1), encoded)
    assert residuals.isfinite().all()
    assert (residuals[~torch.tensor(KNOWN)][:, :, :3] == 0).all()
