"""What multilabel makes of its columns."""

from __future__ import annotations

import numpy as np
import pytest

from fusearch.errors import DataError
from fusearch.tasks.columns import LabelColumn
from fusearch.tasks.multilabel import Multilabel


def columns(**texts):
    def column(name, values):
        return LabelColumn(name, list(map(str, values)), [f"p{row}" for row in range(len(values))], "labels.csv")

    return {name: column(name, values) for name, values in texts.items()}


def test_each_column_is_a_label():
    task, targets = Multilabel.encode(columns(cough=[1, 0, 0], fever=["true", "False", "1"]))
    assert task.labels == task.outputs == ("cough", "fever")
    assert targets.tolist() == [[1, 1], [0, 0], [0, 1]]
    assert task.summary(targets) == {"labels": {"cough": 1, "fever": 2}, "without any": 1}
    np.testing.assert_allclose(task.constant(targets), [1 / 3, 2 / 3])


def test_another_cohort_has_the_labels_in_the_same_order():
    _, targets = Multilabel.encode(columns(fever=[0, 0], cough=[1, 0]), ("cough", "fever"))
    assert targets.tolist() == [[1, 0], [0, 0]]
    with pytest.raises(DataError, match="no column of the label 'fevers', did you mean 'fever'"):
        Multilabel.encode(columns(fever=[0, 0]), ("fevers",))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"cough": [1, 3]}, r"column 'cough' holds '3' in row 2 \(id 'p1'\), expected 0 or 1"),
        ({"cough": [1, 0], "fever": [0, 0]}, "column 'fever' is 0 in every row, expected a label that varies"),
    ],
)
def test_wrong_columns_are_refused(texts, message):
    with pytest.raises(DataError, match=message):
        Multilabel.encode(columns(**texts))


def test_rare_combinations_are_joined():
    targets = np.array([[0, 0, 0]] * 20 + [[1, 0, 0]] * 20 + [[0, 1, 1]] * 4 + [[1, 1, 0]] * 3 + [[1, 1, 1]] * 2, np.float32)
    strata = Multilabel("labels", ("a", "b", "c")).strata(targets)
    sizes = np.unique(strata, return_counts=True)[1]
    assert sorted(sizes.tolist()) in ([7, 20, 22], [9, 20, 20])
    assert len(set(strata[40:47].tolist())) == 1
