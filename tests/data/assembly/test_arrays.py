from typing import Any

import numpy as np
import pytest

from fusearch.data.assembly.arrays import check_split_names, has_values, shape_array, text_array
from fusearch.errors import DataError


def test_a_missing_channel_axis_is_added() -> None:
    assert shape_array(np.zeros((4, 8, 8)), "image2d", "x").shape == (4, 1, 8, 8)
    assert shape_array(np.zeros((4, 9)), "timeseries", "x").shape == (4, 9, 1)
    values = shape_array(np.ones((4, 9), np.uint8), "tabular", "x")
    assert (values.shape, values.dtype) == ((4, 9), np.float32)


def test_a_sample_without_any_value_has_none() -> None:
    values = np.array([[[1, np.nan]], [[np.nan, np.nan]]], np.float32)
    assert has_values(values).tolist() == [True, False]


def test_ids_are_text() -> None:
    assert text_array([1.0, 2.0], "id", "x").tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: shape_array(np.zeros((4, 8)), "image2d", "x.npy"),
            r"x.npy: an array of shape \(4, 8\), expected \(N, C, H, W\) for kind 'image2d'",
        ),
        (lambda: shape_array(np.zeros((4, 0)), "tabular", "x.npy"), r"x.npy: an array of shape \(4, 0\), expected \(N, D\)"),
        (lambda: shape_array(np.array([["a"]]), "tabular", "x.npy"), "x.npy: an array of <U1, expected numbers"),
        (
            lambda: shape_array(np.array([[1], [np.inf]]), "tabular", "x.npy"),
            "x.npy: an infinite value in row 2, expected finite numbers or NaN",
        ),
        (lambda: check_split_names(np.array(["train", "valid"]), "l.csv"), r"l.csv: split 'valid' in row 2, did you mean 'val'\?"),
        (lambda: text_array(["a", None], "id", "l.csv"), "l.csv: no id in row 2, expected one in every row"),
    ],
)
def test_messages(call: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        call()
