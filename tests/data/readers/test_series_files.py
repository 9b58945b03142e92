from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS, Source
from fusearch.data.readers.series_files import SeriesKeys
from fusearch.errors import ManifestError

LONG = {"time": "t", "channels": ["hr"]}


def source(folder: Path, identity: str | None = "id", **keys: Any) -> Source:
    found = SeriesKeys(kind="timeseries", file="long.csv", **{**LONG, **keys})
    return Source("ehr", KINDS["timeseries"], found, folder / "long.csv", folder / "study.yaml", identity)


def test_a_table_in_long_form_has_a_row_for_each_sample(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text("id,t,hr\n007,1,60\n008,1,70\n007,2,80\n008,3,\n", encoding="utf-8")
    rows = READERS["series"].read(source(tmp_path))
    assert (rows.ids, rows.count) == (["007", "008"], 2)
    np.testing.assert_array_equal(rows.take(np.array([1, 0])).values[..., 0], [[70, np.nan], [60, 80]])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"identity": None}, "modalities.ehr.time: a row for each step needs the key `id` of the manifest"),
        ({"time": "time"}, "modalities.ehr.time: no column 'time' in long.csv"),
        ({"channels": ["hr", "bp"]}, "modalities.ehr.channels: no column 'bp' in long.csv"),
    ],
)
def test_what_the_manifest_says_wrongly(tmp_path: Path, keys: dict[str, Any], message: str) -> None:
    (tmp_path / "long.csv").write_text("id,t,hr\n1,1,60\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=message):
        READERS["series"].read(source(tmp_path, **keys))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, r"needs one of the keys 'time' \(a row a step\) and 'column' \(a recording a row\)"),
        ({"time": "t"}, "needs the key 'channels'"),
        ({"column": "file", "channels": ["ECG"]}, "needs the key 'rate'"),
        ({**LONG, "rate": 5}, "'rate' does not go with 'time'"),
        ({"column": "file", "channels": ["ECG"], "rate": 5, "seconds": 1, "length": 3}, "'length' does not go with 'column'"),
    ],
)
def test_keys_that_do_not_go(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SeriesKeys(kind="timeseries", file="long.csv", **keys)


def test_rows_of_other_samples_decide_nothing(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text("id,t,hr\n1,1,60\n1,2,61\n9,1,5\n9,2,5\n9,3,5\n2,1,70\n2,2,71\n", encoding="utf-8")
    rows = READERS["series"].read(source(tmp_path))
    assert rows.ids == ["1", "9", "2"]
    np.testing.assert_array_equal(rows.take(np.array([2, 0])).values[..., 0], [[70, 71], [60, 61]])


def test_a_length_far_beyond_the_longest_sample_is_told(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text("id,t,hr\n1,1,60\n1,2,61\n2,1,70\n", encoding="utf-8")
    notes = [READERS["series"].read(source(tmp_path, length=length)).take(np.arange(2)).notes for length in (4, 5)]
    assert notes == [(), ("`length` is 5, and the longest sample has 2 steps: the rest is filled with missing values",)]


def test_a_channel_stands_once() -> None:
    with pytest.raises(ValidationError, match="expected each channel once"):
        SeriesKeys(kind="timeseries", file="long.csv", time="t", channels=["hr", "hr"])
