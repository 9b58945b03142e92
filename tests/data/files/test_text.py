from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusearch.data.files.text import as_text, one_line, plain, where


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("010", "010"),
        (" a b ", "a b"),
        ("1.0", "1"),
        ("1.50", "1.50"),
        ("-3.00", "-3"),
        ("v1.0", "v1.0"),
        (1.0, "1"),
        (np.float32(2.0), "2"),
        (np.int64(7), "7"),
        (0.5, "0.5"),
        (b"p1", "p1"),
        (np.bytes_(b"p1"), "p1"),
        (True, "True"),
        ("None", "None"),
        ("NA", "NA"),
        ("", None),
        ("  ", None),
        (None, None),
        (float("nan"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (1e300, str(1e300)),
    ],
)
def test_a_cell_is_read_by_itself(cell: Any, text: str | None) -> None:
    assert as_text([cell]) == [text]
    assert as_text(["x", cell, 3.5, None])[1] == text


def test_what_is_missing_the_manifest_says() -> None:
    assert as_text(["?", "-999", "-999.0", -999.0, "a"], {"?", plain("-999.0")}) == [None, None, None, None, "a"]


def test_rows_are_lines_of_a_text_file() -> None:
    assert where(pd.Index([2, 5], name="line"), 1) == "line 5"
    assert where(pd.RangeIndex(1, 3, name="row"), 1) == "row 2"
    assert where(pd.Index(["a", "b"]), 1) == "row 2"
    assert where(None, 0) == "row 1"


def test_what_others_say_is_one_short_line() -> None:
    assert one_line(ValueError("a\n  b")) == "a b"
    assert len(one_line(ValueError("x" * 500))) == 120


def test_a_cell_that_is_a_list_is_text() -> None:
    assert as_text([np.array([1, 2]), [None], None]) == ["[1 2]", "[None]", None]
