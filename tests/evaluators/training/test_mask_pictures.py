from __future__ import annotations

import numpy as np
import pytest
import torch
from mask_data import mask_data

from fusearch.evaluators.tasks import bind_task
from fusearch.evaluators.training.mask_pictures import mask_pictures
from fusearch.evaluators.training.members import prepare_fold


@pytest.mark.parametrize(("side", "axes", "shown"), [(16, 2, (16, 16)), (8, 3, (8, 8)), (130, 2, (65, 65))])
def test_a_few_samples_are_kept_as_they_are_and_as_they_are_said(side: int, axes: int, shown: tuple[int, int]) -> None:
    data = mask_data(20, side, axes=axes)
    rows = prepare_fold(data, data.folds(2)[0])
    task = bind_task(data.task)
    truth = torch.nn.functional.one_hot(torch.as_tensor(rows.targets).long(), 2).movedim(2, 1).flatten(1).float()
    found = mask_pictures(task, rows.validation, truth, rows.targets)
    assert found["shown_images"].shape == (4, *shown)
    assert (found["shown_images"].dtype, found["shown_said"].dtype) == (np.uint8, np.uint8)
    np.testing.assert_array_equal(found["shown_said"], found["shown_true"])
    assert found["shown_true"].any(axis=(1, 2)).all()
    assert not mask_pictures(task, rows.validation, truth, np.zeros_like(rows.targets))
