"""What every task has, and what is no task."""

from __future__ import annotations

import pickle

import pytest

from fusearch.contracts import Objective
from fusearch.errors import DataError, UnknownNameError
from fusearch.tasks import TASKS
from fusearch.tasks.task import Task, make_task, task_entry


def test_every_file_in_the_folder_registers_its_task() -> None:
    assert {"classification", "regression"} <= set(TASKS)


def test_every_metric_of_a_task_has_a_direction() -> None:
    classes, numbers = make_task("classification", "vital", ("alive", "dead")).metrics, make_task("regression", "age").metrics
    assert all(Objective.parse(name).name == name for name in (*classes, *numbers)), "each has a direction"
    assert not set(classes) & set(numbers)


def test_the_loss_that_a_built_in_task_trains_is_one_of_its_metrics() -> None:
    for task in (make_task("classification", "vital", ("alive", "dead")), make_task("regression", "age")):
        assert task.trained in task.metrics
        assert Objective.parse(task.trained).direction == "minimize"


def test_a_task_that_does_not_say_all_is_refused() -> None:
    class Half(Task):
        kind = "half"
        headline = "auroc"

    with pytest.raises(DataError, match="task 'half': its class lacks encode, predicts, strata, summary, which every task says for itself"):
        task_entry(Half)
    assert "half" not in TASKS


def test_it_is_pickled_by_name() -> None:
    task = make_task("classification", "vital", ("alive", "dead"))
    assert pickle.loads(pickle.dumps(task)) == task
    assert b"Classification" not in pickle.dumps(task)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("clasification", "os"), "unknown task 'clasification': did you mean 'classification'"),
        (("classification", "vital", ("alive",)), r"task 'vital': labels of 1 class \('alive'\), expected two classes or more"),
        (("classification", "vital"), "task 'vital': labels of 0 class, expected two classes or more"),
        (("regression", "age", ("a", "b")), "task 'age': a regression has no class names"),
    ],
)
def test_what_is_no_task_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises((DataError, UnknownNameError), match=message):
        make_task(*arguments)
