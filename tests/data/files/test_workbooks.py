"""Excel workbooks: a sheet is read as its CSV file would be."""

from __future__ import annotations

import datetime
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from workbook_files import openpyxl, write_book

from fusearch.data import check_data, load_data
from fusearch.data.files.frames import TextFormat, decimal_of, read_table
from fusearch.data.files.workbooks import read_sheet, sheets_of
from fusearch.errors import DataError, ManifestError


def book(path: Path, *rows: list[Any], **more: list[list[Any]]) -> Path:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for name, cells in more.items():
        other = made.create_sheet(name)
        for row in cells:
            other.append(row)
    made.save(path)
    return path


def test_cells_are_what_they_hold(tmp_path: Path) -> None:
    moment, day = datetime.datetime(2024, 1, 31, 10, 5), datetime.date(2024, 1, 31)
    rows = [["007", 7, 7.0, 0.1, True], ["a\nb", "x,y", moment, day, None], [None, "#N/A", "", "'", 'say "so"']]
    path = book(tmp_path / "t.xlsx", ["a", "b", "c", "d", "e", None], *rows, [None], [None])
    assert read_sheet(path).splitlines() == [
        "a,b,c,d,e",
        "007,7,7,0.1,True",
        'a b,"x,y",2024-01-31 10:05:00,2024-01-31,',
        ',#N/A,,\',"say ""so"""',
    ]


def test_zeros_that_a_format_shows_are_part_of_an_id(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", ["id", "x"], [7, 1], [42, 2])
    made = openpyxl.load_workbook(path)
    for row in (2, 3):
        made.active.cell(row, 1).number_format = "000"
    made.save(path)
    assert read_sheet(path).splitlines()[1:] == ["007,1", "042,2"]


@pytest.mark.parametrize("text", [(), ("id", "sex")])
def test_a_sheet_is_the_frame_of_its_csv_file(tmp_path: Path, text: tuple[str, ...]) -> None:
    frame = pd.DataFrame({"id": ["007", "010", "3"], "age": [30.5, None, 4.0], "sex": ["f", "NA", None], "n": [1, 2, 3]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    write_book(tmp_path / "t.xlsx", s=frame)
    found, expected = (read_table(tmp_path / name, lambda names: set(text) & set(names)) for name in ("t.xlsx", "t.csv"))
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected.reset_index(drop=True))
    assert (found.index.name, found.index.tolist()) == ("row", [2, 3, 4]), "as Excel counts them"
    assert decimal_of(tmp_path / "t.xlsx") is None


def test_the_sheet_is_named_where_several_hold_something(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", rna=[["id", "x"], [1, 2]], notes=[])
    assert sheets_of(path) == ["Sheet", "rna", "notes"]
    assert read_sheet(path) == "id,x\n1,2\n", "the others are empty"
    two = book(tmp_path / "two.xlsx", ["id"], [1], rna=[["id", "x"], [1, 2]])
    with pytest.raises(DataError, match=r"two.xlsx: 2 sheets hold something, expected `sheet` to name one of: Sheet, rna"):
        read_sheet(two)
    with pytest.raises(DataError, match=r"two.xlsx: no sheet 'rnaa', did you mean 'rna'?"):
        read_table(two, set, TextFormat(sheet="rnaa"))
    with pytest.raises(DataError, match=r"t.xlsx: sheet 'notes' holds nothing, expected a header and rows"):
        read_sheet(path, "notes")


def test_a_new_workbook_for_a_model_may_call_its_only_sheet_as_it_likes(tmp_path: Path) -> None:
    new = TextFormat(sheet="rna", sheet_key=None)
    path = book(tmp_path / "t.xlsx", ["id", "x"], [1, 2], notes=[])
    assert read_table(path, set, new).columns.tolist() == ["id", "x"]
    with pytest.raises(DataError, match=r"t.xlsx: no sheet 'rna', expected one of: Sheet, notes"):
        read_table(path, set, TextFormat(sheet="rna"))
    both = book(tmp_path / "both.xlsx", ["id", "x"], [1, 2], rna=[["id", "y"], [1, 2]])
    assert read_table(both, set, new).columns.tolist() == ["id", "y"], "that of the training's name"
    two = book(tmp_path / "two.xlsx", ["id", "x"], [1, 2], notes=[["seen"]])
    with pytest.raises(
        DataError, match=r"2 sheets hold something, expected one, or one of the name 'rna' as in the training, and not: Sheet"
    ):
        read_table(two, set, new)
    with pytest.raises(DataError, match=r"2 sheets hold something, expected one, with the rows to predict, and not: Sheet, notes"):
        read_table(two, set, TextFormat(sheet_key=None))


def test_what_is_no_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.xlsx"
    path.write_text("id,x\n1,2\n")
    with pytest.raises(DataError, match=r"t.xlsx: cannot be read as an Excel workbook \(File is not a zip file\), expected XLSX"):
        read_sheet(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.xml", b"0" * 2**27)
    with pytest.raises(DataError, match=r"t.xlsx: it would unpack to 134,217,728 bytes, \S+ times its own, expected a workbook"):
        read_sheet(path)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"t.xlsx: reading it needs openpyxl; expected `pip install 'fusearch\[excel\]'`"):
        read_sheet(path)


MANIFEST = """id: patient
task: {kind: classification, file: study.xlsx, sheet: labels, column: vital}
modalities:
  clinical: {kind: tabular, file: study.xlsx, sheet: labels, categorical: [sex]}
  rna: {kind: tabular, file: study.xlsx, sheet: rna}
"""


def test_a_study_in_one_workbook(tmp_path: Path) -> None:
    ids = [f"{row:03d}" for row in range(40)]
    sides = ["yes" if row % 2 else "no" for row in range(40)]
    labels = pd.DataFrame({"patient": ids, "vital": sides, "age": range(40, 80), "sex": ["f", "m", "f", "f"] * 10})
    rna = pd.DataFrame({"patient": ids[::-1], "g1": range(40)})  # `vital` of another sheet would be no leak, and ids join
    write_book(tmp_path / "study.xlsx", labels=labels, rna=rna)
    (tmp_path / "study.yaml").write_text(MANIFEST)
    assert check_data(tmp_path / "study.yaml").ok
    data = load_data(tmp_path / "study.yaml")
    assert data.columns["clinical"].columns == ("age", "sex")
    assert data.raw["rna"][:, 0].tolist() == list(range(39, -1, -1))
    (tmp_path / "study.yaml").write_text(MANIFEST.replace("file: study.xlsx, sheet: rna", "file: rna.csv, sheet: rna"))
    with pytest.raises(ManifestError, match=r"modalities.rna: 'sheet' does not go with 'rna.csv', expected it beside an Excel workbook"):
        load_data(tmp_path / "study.yaml")


def test_two_sheets_without_ids_are_not_joined_in_two_orders(tmp_path: Path) -> None:
    ids = [f"p{row}" for row in range(40)]
    labels = pd.DataFrame({"patient": ids, "vital": ["yes" if row % 2 else "no" for row in range(40)]})
    write_book(tmp_path / "study.xlsx", labels=labels, rna=pd.DataFrame({"patient": ids[::-1], "g1": range(40)}))
    head = MANIFEST.removeprefix("id: patient\n").split("  clinical")[0]
    document = head + "  rna: {kind: tabular, file: study.xlsx, sheet: rna, columns: [g1]}\n"
    (tmp_path / "study.yaml").write_text(document)
    with pytest.raises(ManifestError, match=r"study.xlsx \(labels\) and study.xlsx \(rna\) both have 'patient', and not in the same order"):
        load_data(tmp_path / "study.yaml")
