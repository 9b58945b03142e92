from typing import Any

import numpy as np
import pytest

from fusearch.data.assembly.targets import encode_targets
from fusearch.errors import DataError


def encode(values: Any, kind: str = "classification", labels: list[str] | None = None) -> Any:
    ids = [f"p{row}" for row in range(len(values))]
    return encode_targets({"column": ("vital", values)}, kind, ids=ids, place="labels.csv", labels=labels)


def test_codes_follow_the_sorted_names_or_the_order_that_is_given() -> None:
    codes, task = encode(["dead", "alive", "dead"])
    assert (codes.tolist(), codes.dtype, task.labels) == ([1, 0, 1], np.int64, ("alive", "dead"))
    codes, task = encode(["dead", "alive", "dead"], labels=["dead", "alive"])
    assert (codes.tolist(), task.labels) == ([0, 1, 0], ("dead", "alive"))
    assert encode([10, 9, 10.0])[1].labels == ("9", "10")


def test_a_continuous_target_stays_a_number() -> None:
    numbers, task = encode(["1.5", 2, 3.25], "regression")
    assert (numbers.tolist(), numbers.dtype, task.outputs) == ([1.5, 2, 3.25], np.float32, ("vital",))


@pytest.mark.parametrize(
    ("values", "kind", "labels", "message"),
    [
        (
            ["a", None, "b"],
            "classification",
            None,
            r"labels.csv: column 'vital' is empty in row 2 \(id 'p1'\), expected a label in every row",
        ),
        ([1.0, np.nan], "regression", None, r"labels.csv: column 'vital' is empty in row 2 \(id 'p1'\), expected a number in every row"),
        (["a", "a"], "classification", None, r"labels.csv: column 'vital' has labels of one class \('a'\), expected two classes or more"),
        (["alive", "ded"], "classification", ["alive", "dead"], r"column 'vital' holds the label 'ded', did you mean 'dead'\?"),
        (range(40), "classification", None, "column 'vital' has 40 classes in 40 rows; a continuous target is `kind: regression`"),
        ([1, "two"], "regression", None, r"labels.csv: column 'vital' holds 'two' in row 2 \(id 'p1'\), expected a finite number"),
        ([1, np.inf], "regression", None, r"labels.csv: column 'vital' holds 'inf' in row 2 \(id 'p1'\), expected a finite number"),
        ([2, 2, 2], "regression", None, "labels.csv: column 'vital' is 2 in every row, expected a target that varies"),
    ],
)
def test_messages(values: Any, kind: str, labels: list[str] | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        encode(values, kind, labels)
