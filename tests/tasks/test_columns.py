import pytest

from fusearch.errors import DataError
from fusearch.tasks.columns import LabelColumn, sorted_labels


def test_labels_are_sorted_as_numbers_where_they_are_numbers() -> None:
    assert sorted_labels({"10", "9", "2"}) == ("2", "9", "10")
    assert sorted_labels({"b", "10", "a"}) == ("10", "a", "b")


def test_numbers_are_finite() -> None:
    assert LabelColumn("days", ["1.5", "2"], ["a", "b"], "labels.csv").numbers().tolist() == [1.5, 2.0]
    for text in ("two", "inf", "1e60"):
        with pytest.raises(DataError, match=rf"labels.csv: column 'days' holds '{text}' in row 2 \(id 'b'\), expected a finite number"):
            LabelColumn("days", ["1", text], ["a", "b"], "labels.csv").numbers()
