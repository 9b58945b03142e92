"""Tables: what is a level stays text, whatever it looks like; the rest is numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fusearch.data.files.frames import TextFormat
from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS, Source
from fusearch.data.readers.table_file import TableKeys
from fusearch.errors import ManifestError

TEXT = "pid,icd_a,icd_b,age\n01,010,1,30\n02,020,?,-9\n03,,2,50\n"


def source(folder: Path, **keys: object) -> Source:
    (folder / "clin.csv").write_text(TEXT, encoding="utf-8")
    found = TableKeys(kind="tabular", file="clin.csv", **keys)
    form = TextFormat(missing=frozenset({"?", "-9"}))
    return Source("clin", KINDS["tabular"], found, folder / "clin.csv", folder / "study.yaml", "pid", {"pid": "id"}, form)


def test_levels_are_read_as_they_stand_and_the_rest_as_numbers(tmp_path: Path) -> None:
    rows = READERS["table"].read(source(tmp_path, categorical=["icd_*"]))
    assert rows.ids == ["01", "02", "03"]
    taken = rows.take(np.array([2, 0, 1]))
    assert taken.schema is not None
    assert (taken.schema.numeric, dict(taken.schema.categorical)) == (("age",), {"icd_a": ("010", "020"), "icd_b": ("1", "2")})
    np.testing.assert_array_equal(taken.values, [[50, np.nan, 1], [30, 0, 0], [np.nan, 1, np.nan]])


def test_the_other_columns_may_tell_who_a_row_is(tmp_path: Path) -> None:
    assert list(READERS["table"].read(source(tmp_path)).columns) == ["pid", "icd_a", "icd_b", "age"]


def test_a_pattern_that_no_column_has(tmp_path: Path) -> None:
    rows = READERS["table"].read(source(tmp_path, columns=["agee"]))
    with pytest.raises(
        ManifestError, match=r"study.yaml: modalities.clin.columns: no column matches 'agee' in clin.csv, did you mean 'age'\?"
    ):
        rows.take(np.arange(3))
