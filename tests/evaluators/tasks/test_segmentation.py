from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from monai.losses import DiceCELoss

from fusearch.evaluators.tasks import bind_task
from fusearch.evaluators.tasks.segmentation import SegmentationLayer, mask_scores
from fusearch.tasks.segmentation import Segmentation

GRID, CLASSES = (4, 5), 3
TASK = Segmentation("lesion", ("none", "core", "edema"), GRID, (0, 1, 2))


def batch(rows: int = 6) -> tuple[SegmentationLayer, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    layer = bind_task(TASK)
    assert isinstance(layer, SegmentationLayer)
    logits_BK = torch.randn(rows, layer.num_logits, generator=generator)
    return layer, logits_BK, torch.randint(0, CLASSES, (rows, math.prod(GRID)), generator=generator).to(torch.uint8)


def test_the_loss_is_that_of_monai() -> None:
    layer, logits_BK, targets = batch()
    targets[0] = 0  # a class that is nowhere
    theirs = DiceCELoss(softmax=True, include_background=False, to_onehot_y=True)
    expected = theirs(logits_BK.reshape(-1, CLASSES, *GRID), targets.reshape(-1, 1, *GRID).long())
    torch.testing.assert_close(layer.loss(logits_BK, targets), expected)
    half = layer.loss(logits_BK.bfloat16(), targets)
    assert half.dtype == torch.float32


def test_members_can_be_trained_together() -> None:
    layer, logits_BK, targets = batch()
    together = torch.vmap(layer.loss)(torch.stack([logits_BK, -logits_BK]), torch.stack([targets, targets]))
    torch.testing.assert_close(together, torch.stack([layer.loss(logits_BK, targets), layer.loss(-logits_BK, targets)]))


def test_outputs_are_probabilities_of_each_position() -> None:
    layer, logits_BK, _ = batch()
    said = layer(logits_BK).reshape(-1, CLASSES, math.prod(GRID))
    torch.testing.assert_close(said.sum(dim=1), torch.ones(len(logits_BK), math.prod(GRID)))
    assert torch.equal(said.argmax(dim=1), logits_BK.reshape(said.shape).argmax(dim=1))


def naive_dice(said: np.ndarray, true: np.ndarray) -> float:
    total = said.sum() + true.sum()
    return 2 * float((said & true).sum()) / float(total) if total else 1.0


def test_a_sample_scores_as_counted_by_hand() -> None:
    layer, logits_BK, targets = batch()
    targets[0], targets[1] = 0, 1
    scores = layer.judged(logits_BK, targets.numpy())
    said = logits_BK.reshape(-1, CLASSES, math.prod(GRID)).argmax(dim=1).numpy()
    for row, (ours, true) in enumerate(zip(said, targets.numpy(), strict=True)):
        own = [naive_dice(ours == code, true == code) for code in (1, 2)]
        assert scores[row, [0, 2, 3]].tolist() == pytest.approx([np.mean(own), *own])
    assert scores.shape == (6, len(TASK.outputs))


def test_distances_are_in_positions_and_finite() -> None:
    true, said = (np.zeros((4, *GRID), np.uint8) for _ in range(2))
    true[0, 0, 0], said[0, 0, 3] = 1, 1  # three positions apart; the second class is in neither
    true[1, 0, 0] = 1  # not found
    said[2, 0, 0] = 1  # nothing to find
    found = mask_scores(said.reshape(4, -1), true.reshape(4, -1), TASK)
    farthest = math.hypot(3, 4)
    assert found[:, 1].tolist() == pytest.approx([1.5, farthest / 2, farthest / 2, 0])
    assert found[:, 0].tolist() == [0.5, 0.5, 0.5, 1]


def test_distances_are_in_millimetres_where_the_spacing_is_known() -> None:
    true, said = (np.zeros((3, *GRID), np.uint8) for _ in range(2))
    true[0, 0, 0], said[0, 0, 3] = 1, 1
    true[1, 0, 0], said[1, 2, 0] = 1, 1
    true[2, 0, 0] = 1
    task = replace(TASK, spacing=(5.0, 0.5))
    found = mask_scores(said.reshape(3, -1), true.reshape(3, -1), task)
    assert found[:, 1].tolist() == pytest.approx([0.75, 5, math.hypot(3 * 5, 4 * 0.5) / 2])
    np.testing.assert_array_equal(found[:, 0], mask_scores(said.reshape(3, -1), true.reshape(3, -1), TASK)[:, 0])


def test_masks_are_alike_as_they_overlap() -> None:
    layer, _, _ = batch()
    masks = torch.tensor([[0, 0, 1, 1], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]], dtype=torch.uint8)
    expected = [[1, 0.5, 0, 0], [0.5, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    torch.testing.assert_close(layer.alike(masks), torch.tensor(expected))


def test_what_a_layer_says_can_be_exported() -> None:
    layer, logits_BK, _ = batch()
    program = torch.export.export(layer, (logits_BK,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.testing.assert_close(program.module()(logits_BK[:5]), layer(logits_BK[:5]))
