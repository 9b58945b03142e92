from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from fusearch.errors import DataError
from fusearch.tasks import TASKS, SeveralTasks, TaskPart, read_task

NAN = float("nan")
TARGETS = np.array([[0, 3, NAN, NAN], [1, NAN, 2, 1], [NAN, 5, 4, 0], [1, 6, 1, 1]], np.float32)
OUTPUTS = np.random.default_rng(0).random((4, 6))


def tasks() -> SeveralTasks:
    classes, number = TASKS["classification"]("vital", ("alive", "dead")), TASKS["regression"]("years")
    survival = TASKS["survival"]("days", ("1", "2"))
    return SeveralTasks.of(
        [
            TaskPart.of("died", classes, np.zeros(4, np.int64), balanced=True),
            TaskPart.of("age", number, np.zeros(4, np.float32), weight=0.5),
            TaskPart.of("relapse", survival, np.zeros((4, 2), np.float32)),
        ]
    )


def test_targets_and_outputs_stand_side_by_side() -> None:
    task = tasks()
    assert task.outputs == ("died.alive", "died.dead", "age", "relapse.risk", "relapse.survival at 1", "relapse.survival at 2")
    assert task.target_columns == {"died": slice(0, 1), "age": slice(1, 2), "relapse": slice(2, 4)}
    known = {part.name: (rows.tolist(), own.tolist()) for part, rows, own in task.known(TARGETS)}
    assert known["died"] == ([True, True, False, True], [0, 1, 1])
    assert known["relapse"] == ([False, True, True, True], [[2, 1], [4, 0], [1, 1]])


def test_the_task_is_read_back_from_its_record() -> None:
    task = tasks()
    assert read_task(json.loads(json.dumps(task.to_dict()))) == task
    assert pickle.loads(pickle.dumps(task)) == task
    assert read_task(task.parts[2].task.to_dict()) == task.parts[2].task


def test_a_metric_reads_the_rows_that_have_a_label() -> None:
    task, rows = tasks(), [0, 2, 3]
    expected = np.abs(TARGETS[rows, 1] - OUTPUTS[rows, 2]).mean()
    assert task.metric("age.mae")(TARGETS, OUTPUTS) == pytest.approx(expected, rel=1e-5)
    drawn = task.metric("age.mae").on_draws(TARGETS, OUTPUTS, np.array([[1, 0], [0, 1], [1, 0], [1, 2]]))
    assert drawn == pytest.approx([expected, abs(TARGETS[3, 1] - OUTPUTS[3, 2])], rel=1e-5)
    assert np.isnan(task.metric("age.mae")(TARGETS[[1]], OUTPUTS[[1]]))


def test_what_stands_for_all_is_the_first_task() -> None:
    task = tasks()
    assert (task.headline, task.trained) == ("died.auroc", "died.log_loss")
    strata = task.strata(np.tile(TARGETS, (10, 1)))
    assert len({*strata[0::4]}) == len({*strata[1::4]}) == 1
    assert len({strata[0], strata[1], strata[2]}) == 3


def test_what_some_rows_lack_is_told_with_the_name_of_the_task() -> None:
    task = tasks()
    assert task.lacks(TARGETS) == ""
    assert task.lacks(TARGETS[[1]]).startswith("no label of age, ")
    assert task.summary(TARGETS)["died"] == {"classes": {"alive": 1, "dead": 2}, "no label": 1}
    assert task.constant(TARGETS).shape == (6,)
    assert "died.accuracy" in task.chance(TARGETS)


@pytest.mark.parametrize("name", ["aux", "two words", "auroc_without", "worst_missing_x"])
def test_a_name_that_formulas_or_metrics_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(DataError, match=f"task {name!r}"):
        TaskPart.of(name, TASKS["regression"]("years"), np.zeros(4, np.float32))


def test_one_task_or_two_of_one_name_are_refused() -> None:
    part = tasks().parts[0]
    for parts in ([part], [part, part]):
        with pytest.raises(DataError, match="two tasks or more"):
            SeveralTasks.of(parts)


def test_rows_that_all_lack_the_label_of_a_task_are_missing_there() -> None:
    part = tasks().parts[0]
    spread = part.spread(np.empty(0, np.int64), np.zeros(1, np.bool_))
    assert spread.shape == (1, 1)
    assert np.isnan(spread).all()
