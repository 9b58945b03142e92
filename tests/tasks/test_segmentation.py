from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest

from fusearch.errors import DataError
from fusearch.tasks import read_task
from fusearch.tasks.segmentation import Segmentation

MASKS = np.array([[[0, 0], [255, 255]], [[0, 0], [0, 255]], [[0, 0], [0, 0]]], np.uint8)


def test_values_become_codes_row_by_row() -> None:
    task, targets = Segmentation.of(MASKS, "lesion", place="labels.csv", labels=["none", "lesion"])
    assert isinstance(task, Segmentation)
    assert (task.labels, task.grid, task.values) == (("none", "lesion"), (2, 2), (0, 255))
    assert targets.tolist() == [[0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert targets.dtype == np.uint8


def test_another_cohort_has_the_values_of_the_first() -> None:
    task, _ = Segmentation.of(np.array([[[0, 1, 2, 4]]]), "m", place="a.csv")
    other, targets = Segmentation.of(np.array([[[0, 4, 4, 0]]]), "m", place="b.csv", like=task)
    assert other == task
    assert targets.tolist() == [[0, 3, 3, 0]]
    with pytest.raises(DataError, match="masks hold the value 3, expected one of: 0, 1, 2, 4"):
        Segmentation.of(np.array([[[0, 3, 4, 0]]]), "m", place="b.csv", like=task)
    with pytest.raises(DataError, match=r"masks of the grid \(1, 2\), expected \(1, 4\)"):
        Segmentation.of(np.array([[[0, 1]]]), "m", place="b.csv", like=task)


def test_a_class_that_no_mask_has_keeps_its_code() -> None:
    task, targets = Segmentation.of(np.array([[[0, 2]]]), "m", place="a.csv", labels=["none", "core", "edema"])
    assert task.labels == ("none", "core", "edema")
    assert targets.tolist() == [[0, 2]]
    assert task.lacks(targets) == "no mask with core"


@pytest.mark.parametrize(
    ("masks", "labels", "message"),
    [
        ([[[1, 2]]], None, "masks hold the values 1, 2, expected 0 for the background"),
        ([[[0, 0]]], None, "masks hold the values 0, expected 0 for the background, and one for each other class"),
        ([[[0, 7]]], ["none", "a", "b"], "3 labels for masks of the values 0, 7, expected a name for each"),
        ([[list(range(100))]], None, "masks of 100 different values, expected 64 at most"),
    ],
)
def test_what_is_no_mask(masks: object, labels: list[str] | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Segmentation.of(np.array(masks), "m", place="labels.csv", labels=labels)


def test_a_task_is_a_value_also_in_words() -> None:
    task, _ = Segmentation.of(MASKS, "lesion", place="labels.csv")
    assert pickle.loads(pickle.dumps(task)) == task
    assert read_task(json.loads(json.dumps(task.to_dict()))) == task
    assert task.predicts == "one of 0, 255 at each of 2 x 2 positions"


def test_what_a_run_keeps_tells_as_much_as_the_masks() -> None:
    task, targets = Segmentation.of(np.repeat(MASKS, 20, axis=0), "lesion", place="labels.csv")
    kept = task.kept(targets)
    assert kept[::20].tolist() == [[2, 2], [3, 1], [4, 0]]
    for fact in (task.strata, task.chance, task.summary, task.constant, task.doubts, task.kept):
        np.testing.assert_equal(fact(kept), fact(targets))
    assert len(np.unique(task.strata(targets))) == 3


def test_background_everywhere_is_right_where_there_is_nothing_else() -> None:
    task, targets = Segmentation.of(MASKS, "lesion", place="labels.csv")
    assert task.chance(targets) == {"dice": pytest.approx(1 / 3)}
    assert task.constant(targets).tolist() == pytest.approx([1 / 3, 2 / 3 * 2**0.5])
    assert task.summary(targets) == {"positions": {"0": 0.75, "255": 0.25}, "samples": {"255": 2}}
    assert not task.doubts(targets)
    assert "2 of 3 masks are background alone" in task.doubts(targets[[1, 2, 2]])[0]


def test_one_class_in_two_ways_of_writing_is_told() -> None:
    written = np.stack([MASKS[0], np.minimum(MASKS[0], 1), MASKS[2]])
    task, targets = Segmentation.of(written, "lesion", place="labels.csv")
    assert task.labels == ("0", "1", "255")
    assert task.doubts(targets) == (
        "1 masks hold 1, 1 others 255, and none both, which are taken for two classes; are they one, written in two ways?",
    )
    both = written[:2].copy()
    both[0, 0, 0] = 1
    task, targets = Segmentation.of(both, "lesion", place="labels.csv")
    assert not task.doubts(targets)


def test_two_masks_without_the_class_do_not_stand_in_the_way_of_splits() -> None:
    masks = np.repeat(MASKS[[0, 2]], [46, 2], axis=0)
    task, targets = Segmentation.of(masks, "lesion", place="labels.csv")
    assert len(np.unique(task.strata(targets))) == 1


def test_it_is_none_of_several_tasks() -> None:
    with pytest.raises(DataError, match="masks are read from files, expected a task of its own"):
        Segmentation.encode({})


def test_the_spacing_of_the_grid_says_the_unit_of_distances() -> None:
    task, _ = Segmentation.of(MASKS, "lesion", place="labels.csv", spacing=[2, 0.5])
    plain, _ = Segmentation.of(MASKS, "lesion", place="labels.csv")
    assert "hd95 is in millimetres (2 x 0.5 mm between positions)" in task.note
    assert "hd95 is in positions of the grid (pixels)" in plain.note
    assert read_task(json.loads(json.dumps(task.to_dict()))) == task == pickle.loads(pickle.dumps(task))
    assert "spacing" not in plain.to_dict()
    height, width = task.grid
    assert task.farthest == pytest.approx(math.hypot(2 * (height - 1), 0.5 * (width - 1)))
    other, _ = Segmentation.of(MASKS, "lesion", place="b.csv", spacing=[2.001, 0.5], like=task)
    assert other == task
    assert Segmentation.of(MASKS, "lesion", place="b.csv", like=task)[0] == task
    with pytest.raises(DataError, match=r"b.csv: masks whose positions lie 1 x 0.5 mm apart, expected 2 x 0.5 mm, as in the other cohort"):
        Segmentation.of(MASKS, "lesion", place="b.csv", spacing=[1, 0.5], like=task)
