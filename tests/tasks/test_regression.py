import numpy as np

from fusearch.tasks.columns import LabelColumn
from fusearch.tasks.regression import Regression

TASK = Regression("months")


def test_words() -> None:
    assert (TASK.predicts, TASK.outputs, TASK.says) == ("a number, in the units of the target", ("months",), "values")


def test_numbers_stay_what_they_are() -> None:
    task, numbers = Regression.encode({"column": LabelColumn("months", ["1.5", "2"], "ab", "labels.csv")})
    assert task == TASK
    assert (numbers.tolist(), numbers.dtype) == ([1.5, 2.0], np.float32)
    assert TASK.summary(numbers) == {"mean": 1.75, "std": 0.25}
    assert TASK.class_counts(numbers) == {}


def test_metrics_get_one_number_a_sample() -> None:
    assert TASK.scored(np.array([[1.0], [2.0]])).tolist() == [1.0, 2.0]


def test_the_constant_predictor_says_the_mean_of_the_training_rows() -> None:
    assert TASK.constant(np.array([1.0, 4.0], np.float32)).tolist() == [2.5]
