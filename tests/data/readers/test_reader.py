from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS, FileKeys, Rows, Source, find_reader, readers_of
from fusearch.errors import DataError


def test_the_format_is_told_by_the_suffix_among_those_of_the_kind() -> None:
    assert find_reader(KINDS["tabular"], "a.CSV.gz") is READERS["table"]
    assert find_reader(KINDS["tabular"], "a.npz") is READERS["array"]
    assert find_reader(KINDS["image2d"], "a.csv") is READERS["images"]
    with pytest.raises(ValueError, match=r"'a.txt', expected a file that ends in one of: .npy, .npz"):
        find_reader(KINDS["timeseries"], "a.txt")


def test_a_folder_is_taken_by_what_lies_in_it(tmp_path: Path) -> None:
    for name in ("slices/1.DCM", "frames/1.png", "sounds/1.wav", "none/readme"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    taking = {folder.name: [reader.name for reader in READERS.values() if reader.takes(folder)] for folder in tmp_path.iterdir()}
    assert taking == {"slices": ["volumes"], "frames": ["films"], "sounds": [], "none": []}
    assert [reader.name for reader in READERS.values() if reader.takes(tmp_path / "a.NII.GZ")] == ["volumes"]


def test_a_kind_with_a_format_that_nothing_reads_is_named() -> None:
    kind = replace(KINDS["image2d"], name="slide", formats=("arry",))
    with pytest.raises(DataError, match=r"kind 'slide': nothing reads its format 'arry', did you mean 'array'\?"):
        readers_of(kind)


def test_rows_of_an_array_get_the_axes_of_the_kind_when_they_are_taken(tmp_path: Path) -> None:
    keys = FileKeys(kind="timeseries", file="x.npy")
    source = Source("ecg", KINDS["timeseries"], keys, tmp_path / "x.npy", tmp_path / "study.yaml")
    assert source.place("file") == "study.yaml: modalities.ecg.file"
    rows = Rows.of(source, np.arange(12).reshape(3, 4), [1, 2, 3])
    assert rows.ids is not None
    assert (rows.ids, rows.count) == (["1", "2", "3"], 3)
    taken = rows.take(np.array([2, 0]))
    assert (taken.values.shape, taken.values.dtype, taken.values[:, 0, 0].tolist()) == ((2, 4, 1), np.float32, [8.0, 0.0])
    assert (taken.schema, taken.notes) == (None, ())
    wrong = Rows.of(source, np.zeros((3, 2, 2, 2)))
    assert wrong.ids is None
    with pytest.raises(DataError, match=r"x.npy: an array of shape \(3, 2, 2, 2\), expected \(N, T, C\) for kind 'timeseries'"):
        wrong.take(np.array([0]))
