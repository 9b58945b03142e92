"""Tables in long form and EDF recordings: what is read, and what is refused in one line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from edf import write_edf

from fusearch.data.files.series import long_series, read_recordings, what_recordings_share
from fusearch.errors import DataError


def frame(**columns: list[object]) -> pd.DataFrame:
    table = pd.DataFrame({"id": ["b", "a", "b", "a"], "t": [0, 0.5, 1, 2], "hr": [60, 70, np.nan, 90], "bp": [1, 2, 3, 4], **columns})
    table.index = pd.RangeIndex(2, 6, name="line")
    return table


def read(table: pd.DataFrame, length: int | None = None) -> tuple[list[str], np.ndarray]:
    return long_series(table, "long.csv", sample="id", time="t", channels=["bp", "hr"], length=length)


def test_rows_become_the_steps_of_their_sample() -> None:
    ids, values = read(frame())
    assert ids == ["b", "a"]
    np.testing.assert_array_equal(values, np.array([[[1, 60], [3, np.nan]], [[2, 70], [4, 90]]], np.float32))
    np.testing.assert_array_equal(read(frame(), 1)[1], values[:, :1])
    longer = read(frame(), 3)[1]
    np.testing.assert_array_equal(longer[:, :2], values)
    assert np.isnan(longer[:, 2]).all()


def test_dates_are_times() -> None:
    dates = ["2020-01-01", "2020-01-01 10:00", "2020-01-02", "2020-01-01T10:00:01"]
    np.testing.assert_array_equal(read(frame(t=dates))[1], read(frame())[1])
    np.testing.assert_array_equal(read(frame(t=pd.to_datetime(pd.Series(dates), format="ISO8601").tolist()))[1], read(frame())[1])


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"t": [1, 0, 0, 1]}, "long.csv: time goes backwards for 'b': 0 in line 4 comes after 1 in line 2"),
        ({"t": [1, 0, 1, 0]}, "long.csv: time stands twice for 'b': 1 in line 4 comes after 1 in line 2 (and 1 more)"),
        ({"t": [0, 0, None, 1]}, "long.csv: 't' is empty in line 4, expected a number, or a date such as 2020-01-31 10:00"),
        ({"t": ["2020-01-01", "soon", "2020-01-02", "2020-01-03"]}, "long.csv: 't' is 'soon' in line 3, expected a number, or a date"),
        ({"id": ["b", "a", None, "a"]}, "long.csv: no 'id' in line 4, expected one in every row"),
        ({"id": ["b", "a", "c", "a"]}, "long.csv: series of 1 to 2 steps (such as 'b' and 'a'), expected one length; `length: 2` in the"),
        ({"hr": [1, 2, "high", 3]}, "long.csv: column 'hr' holds 'high' in line 4"),
    ],
)
def test_what_is_refused(columns: dict[str, list[object]], told: str) -> None:
    with pytest.raises(DataError) as error:
        read(frame(**columns))
    assert str(error.value).startswith(told)


PLACES = [f"row {row + 1}" for row in range(9)]


def test_recordings(tmp_path: Path) -> None:
    slow, fast = np.sin(np.arange(30) / 3), np.sin(np.arange(300) / 30)
    write_edf(tmp_path / "a.edf", {"ECG": (slow, 10), "EEG": (fast, 100)})
    write_edf(tmp_path / "b.edf", {"EEG": (fast[:100], 100), "ECG": (slow[:10], 10)})
    values = read_recordings([tmp_path / "a.edf", None, tmp_path / "b.edf"], PLACES, channels=["EEG", "ECG"], rate=10, seconds=2)
    assert values.shape == (3, 20, 2)
    np.testing.assert_allclose(values[0, :, 1], slow[:20], atol=1e-3)
    np.testing.assert_allclose(values[0, 2:18, 0], fast[20:180:10], atol=0.05)
    assert np.isnan(values[1]).all()
    assert np.isnan(values[2, 10:]).all()
    assert not np.isnan(values[2, :10]).any()


def test_recordings_that_cannot_be_read(tmp_path: Path) -> None:
    write_edf(tmp_path / "a.edf", {"ECG": (np.zeros(10), 10)})
    (tmp_path / "b.edf").write_bytes(b"id,t\n1,2\n")
    (tmp_path / "c.edf").write_bytes(b"")
    files = [tmp_path / name for name in ("a.edf", "b.edf", "c.edf", "d.edf", "e.txt")]
    files[-1].write_bytes(b"")
    with pytest.raises(DataError) as error:
        read_recordings(files, PLACES, channels=["EEG"], rate=10, seconds=1)
    assert error.value.faults[:3] == (
        "row 1: a.edf: no signal 'EEG', did you mean 'ECG'?",
        "row 2: b.edf: the file ends before its header does: it was cut off",
        "row 3: c.edf: an empty file, expected EDF",
    )
    assert error.value.faults[3].startswith("row 4: d.edf: there is no such file in ")
    assert error.value.faults[4] == "row 5: e.txt: expected a file that ends in one of: .edf, .bdf"
    assert all("\n" not in fault for fault in error.value.faults)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda data: data[:-5], "the file ends before its records do: it was cut off"),
        (lambda data: data[:300], "the file ends before its header does: it was cut off"),
        (lambda data: data + b"12", "the file has 2 bytes behind its last record"),
        (lambda data: data[:236] + b"0       " + data[244:512], "its header says 0 records of data, expected at least one"),
        (lambda data: data[:236] + b"many    " + data[244:], "cannot be read as EDF (invalid literal for int() with base 10: b'many ')"),
    ],
)
def test_a_recording_that_is_not_whole_is_one_line(spoil: Any, told: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_edf(tmp_path / "a.edf", {"ECG": (np.arange(20.0), 10)})
    (tmp_path / "a.edf").write_bytes(spoil((tmp_path / "a.edf").read_bytes()))
    with pytest.raises(DataError) as error:
        read_recordings([tmp_path / "a.edf"], PLACES, channels=["ECG"], rate=10, seconds=1)
    assert error.value.faults == (f"row 1: a.edf: {told}",)
    assert capfd.readouterr() == ("", "")  # pyedflib prints what it finds


def test_of_two_signals_with_one_label_none_is_taken(tmp_path: Path) -> None:
    signals = {label: (np.full(10, value), 10) for label, value in (("EEG", 0.5), ("EEG ", 1.0), ("ECG", 1.5))}
    write_edf(tmp_path / "a.edf", signals)  # a label in EDF ends before its spaces, so the first two have the same
    told = "row 1: a.edf: 2 signals are named 'EEG', expected one: which of them is meant cannot be told"
    with pytest.raises(DataError) as error:
        read_recordings([tmp_path / "a.edf"], PLACES, channels=["ECG", "EEG"], rate=10, seconds=1)
    assert error.value.faults == (told,)
    np.testing.assert_allclose(read_recordings([tmp_path / "a.edf"], PLACES, channels=["ECG"], rate=10, seconds=1), 1.5, atol=1e-3)
    assert what_recordings_share([tmp_path / "a.edf"])["channels"] == ["ECG"]


def test_edf_without_pyedflib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.edf").write_bytes(b"0")
    monkeypatch.setitem(sys.modules, "pyedflib", None)
    with pytest.raises(DataError, match=r"row 1: a.edf: reading it needs pyedflib; expected `pip install 'fusearch\[signals\]'`"):
        read_recordings([tmp_path / "a.edf"], PLACES, channels=["ECG"], rate=8, seconds=1)


def test_recordings_share_a_rate_that_keeps_their_fastest_signal(tmp_path: Path) -> None:
    flat = np.zeros
    write_edf(tmp_path / "a.edf", {"STATUS": (flat(2), 1), "EEG": (flat(400), 200), "RESP": (flat(20), 10)})
    write_edf(tmp_path / "b.edf", {"EEG": (flat(300), 100), "RESP": (flat(60), 20), "EMG": (flat(3000), 1000)})
    shared = what_recordings_share([tmp_path / "a.edf", tmp_path / "b.edf"])
    assert shared == {"channels": ["EEG", "RESP"], "rate": 100.0, "seconds": 2.0}, "what is not in all recordings decides nothing"
