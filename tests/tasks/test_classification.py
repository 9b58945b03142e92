import numpy as np

from fusearch.tasks.classification import Classification
from fusearch.tasks.columns import LabelColumn

TASK = Classification("vital", ("alive", "dead"))


def test_words() -> None:
    assert (TASK.predicts, TASK.outputs, TASK.says) == ("one of alive, dead", ("alive", "dead"), "class probabilities")


def test_codes_are_positions_of_the_names_and_strata() -> None:
    task, codes = Classification.encode({"column": LabelColumn("vital", ["dead", "alive", "dead"], "abc", "labels.csv")})
    assert task == TASK
    assert codes.tolist() == TASK.strata(codes).tolist() == [1, 0, 1]
    assert [task.labels[code] for code in codes] == ["dead", "alive", "dead"]


def test_classes_are_counted_also_where_one_has_no_row() -> None:
    assert TASK.summary(np.array([1, 1])) == {"classes": {"alive": 0, "dead": 2}}


def test_probabilities_sum_to_one_for_metrics() -> None:
    assert TASK.scored(np.array([[0.3, 0.3]])).tolist() == [[0.5, 0.5]]


def test_the_constant_predictor_says_the_shares_of_the_training_rows() -> None:
    assert TASK.constant(np.array([0, 1, 1, 1])).tolist() == [0.25, 0.75]
