import pytest

from fusearch.data.task import Task
from fusearch.errors import DataError
from fusearch.metrics import METRICS


def test_a_network_returns_one_number_a_class_and_one_for_regression() -> None:
    assert Task("classification", "vital", ("alive", "dead")).num_outputs == 2
    assert Task("classification", "grade", ("1", "2", "3")).num_outputs == 3
    assert Task("regression", "age").num_outputs == 1


def test_every_metric_of_a_task_has_a_direction() -> None:
    classes, numbers = Task("classification", "vital", ("alive", "dead")).metrics, Task("regression", "age").metrics
    assert {*classes, *numbers} <= set(METRICS)
    assert "auroc" in classes
    assert "rmse" in numbers
    assert not set(classes) & set(numbers)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("survival", "os"), "task 'os': unknown kind 'survival', expected one of: classification, regression"),
        (("classification", "vital", ("alive",)), r"task 'vital': labels of 1 class \('alive'\), expected two classes or more"),
        (("classification", "vital"), "task 'vital': labels of 0 class, expected two classes or more"),
        (("regression", "age", ("a", "b")), "task 'age': a regression has no class names"),
    ],
)
def test_what_is_no_task_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Task(*arguments)
