from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from workbook_files import write_book

from fusearch.data.drafting.found import look_into
from fusearch.errors import DataError


def test_everything_is_found_by_what_it_is(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["007", "010"], "x": [1, 2]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    write_book(tmp_path / "b.xlsx", one=frame, empty=pd.DataFrame(), two=frame)
    np.save(tmp_path / "c.npy", np.zeros((2, 3)))
    (tmp_path / "d.fasta").write_text(">007\nACGT\n")
    for name in ("s1", "s2"):
        (tmp_path / "ct" / name).mkdir(parents=True)
        for number in range(2):
            (tmp_path / "ct" / name / f"{number}.dcm").touch()
    (tmp_path / ".hidden.csv").write_text("a,b\n1,2\n")
    (tmp_path / "README.md").touch()
    (tmp_path / "x.docx").touch()
    (tmp_path / "broken.csv").write_text("a,b\n1,2,3,4\n")
    found = look_into(tmp_path, without=[tmp_path / "c.npy"])
    assert [table.called for table in found.tables] == ["a.csv", "b.xlsx (one)", "b.xlsx (two)"]
    assert found.tables[0].texts("id") == ["007", "010"], "whole numbers stay as they stand"
    assert found.tables[0].distinct("x") == ["1", "2"]
    assert (found.arrays, found.records) == ([], [(tmp_path / "d.fasta", "fasta")])
    assert found.singles == [tmp_path / "ct" / "s1", tmp_path / "ct" / "s2"], "a folder of slices is one volume"
    assert [note.split(":")[0] for note in found.notes] == ["left out", "files that no reader reads were left out"]


def test_a_table_a_sample_is_told_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "steps").mkdir()
    for number in range(41):
        (tmp_path / "steps" / f"{number}.csv").write_text("t,x\n1,2\n")
    with pytest.raises(DataError, match="steps: more than 40 tables; a table a sample is not read"):
        look_into(tmp_path)


def test_a_folder_without_anything(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folder '.*gone', expected one with the tables and files of a study"):
        look_into(tmp_path / "gone")
    with pytest.raises(DataError, match="holds no file that can be read"):
        look_into(tmp_path)


def test_rows_that_hold_nothing_make_no_other_numbers_of_ids(tmp_path):
    (tmp_path / "labels.csv").write_text("pid,died,age\n13,0,62.5\n34,1,63\n,,\n25,0,54\n,,\n")
    (table,) = look_into(tmp_path).tables
    assert {name: cells.dtype.kind for name, cells in table.frame.items()} == {"pid": "i", "died": "i", "age": "f"}
    assert table.distinct("pid") == ["13", "34", "25"]


@pytest.mark.parametrize(("text", "told"), [('{"nodes": [], "links": []}', True), ('{"a": 1}', False), ("[1", False)])
def test_graphs_as_json_are_told_the_form_that_is_read(tmp_path: Path, text: str, told: bool) -> None:
    pd.DataFrame({"id": [1, 2], "y": [0, 1]}).to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "g.json").write_text(text)
    (note,) = look_into(tmp_path).notes
    assert note == "files that no reader reads were left out: 1 .json" + (
        "; a graph is read from an NPZ file of `features` and `edges`, one a sample" if told else ""
    )
