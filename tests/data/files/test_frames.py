"""Tables as data frames: text stays text, numbers are numbers, and what is neither is told."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusearch.data.files.frames import TextFormat, codes_of, decimal_of, numbers_of, read_table
from fusearch.data.files.text import as_text
from fusearch.errors import DataError

FRAME = pd.DataFrame({"patient": ["007", "010"], "age": [30.5, 40.0]})


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, text: Collection[str] = (), **form: Any) -> pd.DataFrame:
    return read_table(path, lambda names: set(text) & set(names), TextFormat(**form))


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.tsv.gz", "t.parquet"])
def test_every_sort_of_table_gives_the_same_frame(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        FRAME.to_parquet(path)
    else:
        FRAME.to_csv(path, index=False, sep="\t" if ".tsv" in name else ",")
    frame = read(path, ["patient"])
    assert frame["patient"].tolist() == ["007", "010"]
    assert frame["age"].tolist() == [30.5, 40.0]


def test_a_named_index_of_a_parquet_file_is_a_column(tmp_path: Path) -> None:
    FRAME.set_index("patient").to_parquet(tmp_path / "t.parquet")
    frame = read(tmp_path / "t.parquet")
    assert (list(frame.columns), frame.index.name, frame.index.tolist()) == (["patient", "age"], "row", [1, 2])


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert list(read(write(tmp_path / "t.csv", "\ufeffpatient,age\n1,2\n")).columns) == ["patient", "age"]


def test_rows_keep_their_lines(tmp_path: Path) -> None:
    frame = read(write(tmp_path / "t.csv", "a,b\n1,2\n,\n\n3,4\n,\n"))
    assert (frame.index.name, frame.index.tolist(), frame["b"].tolist()) == ("line", [2, 5], [2, 4])


def test_a_separator_behind_the_last_column_shifts_nothing(tmp_path: Path) -> None:
    frame = read(write(tmp_path / "t.csv", "a,b\n1,2,\n3,4,\n"))
    assert {name: frame[name].tolist() for name in frame} == {"a": [1, 3], "b": [2, 4]}


def test_numbers_of_rows_are_no_column_and_names_of_rows_need_a_name(tmp_path: Path) -> None:
    assert list(read(write(tmp_path / "t.csv", ",a\n0,5\n1,6\n")).columns) == ["a"]
    with pytest.raises(DataError, match=r"t.csv: column 1 has no name in the header and holds 'r1', .* a decimal comma outside quotes"):
        read(write(tmp_path / "t.csv", "a\nr1,5\nr2,6\n"))


def test_a_european_spreadsheet_is_numbers(tmp_path: Path) -> None:
    frame = read(write(tmp_path / "t.csv", "id;x\n01;1,5\n02;-2,25e1\n"), ["id"])
    assert (frame["id"].tolist(), frame["x"].tolist()) == (["01", "02"], [1.5, -22.5])


def test_gaps_of_numbers_are_missing_and_text_stays(tmp_path: Path) -> None:
    frame = read(write(tmp_path / "t.csv", "sex,age\nNA,NA\nNone,\n,5\nf,null\n"), ["sex"])
    assert as_text(frame["sex"]) == ["NA", "None", None, "f"]
    assert frame["age"].tolist()[2] == 5
    assert frame["age"].isna().tolist() == [True, True, False, True]
    frame = read(write(tmp_path / "t.csv", "sex,age\n?,-999\nm,7\n"), ["sex"], missing=frozenset({"?", "-999"}))
    assert numbers_of(frame[["age"]], "t.csv").ravel().tolist()[1] == 7
    assert np.isnan(numbers_of(frame[["age"]], "t.csv")[0, 0])
    assert as_text(frame["sex"], {"?"}) == [None, "m"]


@given(st.lists(st.sampled_from(["010", "C50", "20", "", "TRUE", "1.0", "NA"]), min_size=1, max_size=8), st.data())
def test_a_row_is_the_same_in_any_part_of_a_file(cells: list[str], data: st.DataObject) -> None:
    """Text and codes of any subset, order or single row are those of the whole file."""
    import tempfile

    chosen = data.draw(st.lists(st.integers(0, len(cells) - 1), min_size=1, unique=True))
    levels = ["010", "C50", "1"]

    def codes(rows: list[int]) -> list[float]:
        with tempfile.TemporaryDirectory() as folder:
            lines = "".join(f"p{row},{cells[row]},{row}\n" for row in rows)
            frame = read(write(Path(folder) / "t.csv", f"id,icd,x\n{lines}"), ["id", "icd"])
            return np.nan_to_num(codes_of(as_text(frame["icd"]), levels), nan=-9).tolist()

    whole = codes(list(range(len(cells))))
    assert codes(chosen) == [whole[row] for row in chosen]


def test_every_column_that_holds_no_numbers_is_told_those_alike_together(tmp_path: Path) -> None:
    rows = ["1,2,<0.5,x", "?,?,1,y", "3,4,5,z", "?,1,#DIV/0!,w"]
    frame = read(write(tmp_path / "t.csv", "a,b,c,note\n" + "\n".join(rows) + "\n"))
    with pytest.raises(DataError) as caught:
        numbers_of(frame, "t.csv")
    assert caught.value.faults == (
        (
            "t.csv: column 'a' (and 1 more columns: b) holds '?' in 2 rows, first in line 3; expected finite numbers "
            "(or 'a' under `categorical`, or left out by `columns`)"
        ),
        (
            "t.csv: column 'c' holds '<0.5', '#DIV/0!', first in line 2; expected finite numbers "
            "(or 'c' under `categorical`, or left out by `columns`)"
        ),
        (
            "t.csv: column 'note' holds 'x', 'y', 'z', ..., first in line 2; expected finite numbers "
            "(or 'note' under `categorical`, or left out by `columns`)"
        ),
    )
    assert str(caught.value).endswith("(and 2 more: see `fusearch check`)")


def test_a_column_of_numbers_with_few_others_is_advised_to_name_what_is_missing(tmp_path: Path) -> None:
    frame = read(write(tmp_path / "t.csv", "a\n" + "\n".join(["1", "2", "3", "?", "5"]) + "\n"))
    with pytest.raises(
        DataError, match="holds '\\?' in line 5; expected finite numbers, empty cells, or texts that the manifest lists under `mis"
    ):
        numbers_of(frame, "t.csv")
    frame = read(write(tmp_path / "t.csv", "a;b\n" + "\n".join(["1,234;2", "2;2", "3;3", "4;4"]) + "\n"))
    with pytest.raises(DataError, match=r"holds '1,234' in line 2; .*\(or `decimal: \",\"`\)"):
        numbers_of(frame, "t.csv")


@pytest.mark.parametrize(
    ("cells", "advice"),
    [
        (["<0.1", "2", "3"], "finite numbers, such as the limit itself, empty cells, or texts that the manifest lists under `missing`"),
        (["1,5", "2.25", "3"], "a point before the decimals, as in its other rows"),
        (["1,5", "2,25", "3,5"], "behind them (or `decimal: \",\"`, or 'a' left out by `columns`)"),
        (["1,234", "2,345", "3,456"], "behind them (or 'a' left out by `columns`)"),  # beside decimal points: thousands
        (["01.02.2021", "13.02.2021", "08.03.2021 08:30"], "finite numbers, such as days from one date on (or 'a' left out by `columns`)"),
    ],
)
def test_what_a_hospital_writes_is_told_with_what_would_be_read(cells: list[str], advice: str) -> None:
    with pytest.raises(DataError) as caught:
        numbers_of(pd.DataFrame({"a": cells, "b": [1.5, 2.5, 3.5]}), "t.csv")
    assert str(caught.value).endswith(advice)


def test_beside_decimal_commas_points_part_thousands(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "crp;wbc\n4,5;13.738,5\n0,5;1.234.567\n2,5;-1.500,0\n3,5;512\n")
    assert numbers_of(read(path), "t.csv").tolist() == [[4.5, 13738.5], [0.5, 1234567], [2.5, -1500], [3.5, 512]]
    path = write(tmp_path / "t.csv", "crp;wbc\n4,5;2.040\n0,5;512\n2,5;3.000\n3,5;9\n")
    with pytest.raises(DataError, match=r"'2.040' in line 2 and '512' in line 3; expected '2040' \(or `decimal: \",\"`\) if the"):
        read(path)
    assert numbers_of(read(path, decimal=","), "t.csv")[:, 1].tolist() == [2040, 512, 3000, 9]


def make_broken_files(folder: Path) -> None:
    (folder / "empty.csv").touch()
    (folder / "header.csv").write_text("a,b\n", encoding="utf-8")
    (folder / "ragged.csv").write_text("a,b\n1,2\n1,2,3\n", encoding="utf-8")
    (folder / "latin.csv").write_bytes("name\nJosé\n".encode("latin-1"))
    (folder / "broken.parquet").write_bytes(b"PAR1 and no more")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda f: read(f / "empty.csv"),
            "empty.csv: the file is empty, expected a header line and a row for each sample",
        ),
        (lambda f: read(f / "header.csv"), "header.csv: the table has no rows, expected one for each sample"),
        (
            lambda f: read(f / "ragged.csv"),
            "ragged.csv: line 3 has 3 fields, expected 2 with ',' between them",
        ),
        (
            lambda f: read(f / "latin.csv"),
            r"latin.csv: cannot be read as a table \(line 2 holds the byte .e9., which is not UTF-8\), expected UTF-8 text; save",
        ),
        (lambda f: read(f / "broken.parquet"), r"broken.parquet: cannot be read as a table \(.*\), expected Parquet"),
    ],
)
def test_messages(tmp_path: Path, call: Any, message: str) -> None:
    make_broken_files(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        call(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_what_the_manifest_lists_is_missing_in_every_sort_of_table(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"id": ["-999", "b", "c"], "n": [-999, 1, 2], "x": [-999.0, 1.5, -9.5], "t": ["1", " ? ", "-999"]})
    frame.to_parquet(tmp_path / name) if name.endswith("parquet") else frame.to_csv(tmp_path / name, index=False)
    found = read(tmp_path / name, ["id"], missing=frozenset({"-999", "?", "-9.5"}))
    assert found["id"].tolist() == ["-999", "b", "c"]
    numbers = numbers_of(found[["n", "x", "t"]], name)
    np.testing.assert_array_equal(numbers, [[np.nan, np.nan, 1], [1, 1.5, np.nan], [2, np.nan, np.nan]])


def test_an_index_of_texts_is_a_column_too(tmp_path: Path) -> None:
    FRAME.set_index("patient").rename_axis(None).to_parquet(tmp_path / "t.parquet")
    assert list(read(tmp_path / "t.parquet").columns) == ["index", "age"]
    FRAME.iloc[::-1].to_parquet(tmp_path / "t.parquet")
    assert list(read(tmp_path / "t.parquet").columns) == ["patient", "age"]


def test_a_parquet_file_that_is_no_plain_table(tmp_path: Path) -> None:
    FRAME.set_axis(pd.MultiIndex.from_product([["a"], FRAME.columns]), axis=1).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t.parquet: names of columns have 2 levels, such as \('a', 'patient'\), expected one"):
        read(tmp_path / "t.parquet")
    FRAME.assign(stay=pd.to_timedelta([1, 2], "D"), list=[[1, 2], [3]]).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError) as caught:
        numbers_of(read(tmp_path / "t.parquet")[["age", "stay", "list"]], "t.parquet")
    assert [fault.split("; ")[0] for fault in caught.value.faults] == [
        "t.parquet: column 'stay' holds '1 days 00:00:00', '2 days 00:00:00', first in row 1",
        "t.parquet: column 'list' holds '[1 2]', '[3]', first in row 1",
    ]


def test_every_infinite_value_is_counted(tmp_path: Path) -> None:
    frame = read(write(tmp_path / "t.csv", "a,b\n1e400,1\n2,1e39\n-Inf,2\n"))
    with pytest.raises(DataError) as caught:
        numbers_of(frame, "t.csv")
    assert caught.value.faults == (
        "t.csv: column 'a' holds 'inf', '-inf', first in line 2; expected finite numbers below 3.4e38, or empty cells",
        "t.csv: column 'b' holds '1e+39' in line 3; expected finite numbers, empty cells, or texts that the manifest lists under `missing`",
    )


def test_a_header_that_stands_again_is_one_fault(tmp_path: Path) -> None:
    frame = read(write(tmp_path / "t.csv", "a,b,c\n1,2,3\na,b,c\n4,5,6\n1,2,3\n"))
    with pytest.raises(DataError) as caught:
        numbers_of(frame, "t.csv")
    assert [fault.split(";")[0] for fault in caught.value.faults] == ["t.csv: column 'a' (and 2 more columns: b, c) holds 'a' in line 3"]


@pytest.mark.parametrize("cells", [["1,234.5", "12,345.0"], ["12%", "5%"], ["1'000", "2'500"]])
def test_thousands_and_percents_are_not_called_levels(tmp_path: Path, cells: list[str]) -> None:
    with pytest.raises(DataError, match=r"expected numbers such as 1234.5, without signs between thousands or behind them"):
        numbers_of(pd.DataFrame({"a": cells}), "t.csv")


def test_beside_a_text_the_numbers_with_a_decimal_comma_are_no_fault(tmp_path: Path) -> None:
    rows = [f"{number},25;yes" for number in range(8)]
    table = read(write(tmp_path / "t.csv", "\n".join(["crp;b", *rows, "<0,5;", ",75;no"])))
    assert table["crp"].astype(str).tolist() == [*(f"{number}.25" for number in range(8)), "<0,5", ".75"]
    with pytest.raises(
        DataError, match=r"column 'crp' holds '<0,5' in line 10; expected finite numbers, such as the limit itself, empty cells"
    ):
        numbers_of(table[["crp"]], "t.csv")


def test_the_decimals_of_a_file(tmp_path: Path) -> None:
    assert decimal_of(write(tmp_path / "t.csv", "a;b\n1,25;2\n")) == ","
    assert decimal_of(write(tmp_path / "t.csv", "a,b\n1.25,2\n")) == "."
    FRAME.to_parquet(tmp_path / "t.parquet")
    assert decimal_of(tmp_path / "t.parquet") is None


def test_without_ids_a_row_without_values_is_a_sample_unless_it_ends_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,b\n1,2\n,\n\n3,4\n,\n")
    assert read(path)["b"].tolist() == [2, 4]
    found = read(path, by_position=True)
    np.testing.assert_array_equal(found["b"], [2, np.nan, 4])
    assert found.index.tolist() == [2, 3, 5]


def test_what_numbers_the_rows_of_a_part_of_a_table_is_no_column_where_they_have_ids(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", ",id,a\n17,p,5\n3,q,6\n")
    assert list(read(path, ["id"]).columns) == ["id", "a"]
    with pytest.raises(DataError, match=r"t.csv: column 1 has no name in the header and holds '17'"):
        read(path, ["id"], by_position=True)


def test_shuffled_rows_of_a_parquet_file_are_not_joined_by_position(tmp_path: Path) -> None:
    FRAME.iloc[::-1].to_parquet(tmp_path / "t.parquet")
    assert len(read(tmp_path / "t.parquet")) == 2
    with pytest.raises(DataError, match=r"t.parquet: the numbers of its rows are not in order \(the first is 1\), so rows would be joined"):
        read(tmp_path / "t.parquet", by_position=True)


@pytest.mark.parametrize("cells", [["1", "x", "2"], ["x", "y", "z"], ["1.234,5", "2.345,6", "3.456,7"], ["1,5", "2", "3"]])
def test_where_there_is_no_manifest_no_key_of_it_is_named(cells: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        numbers_of(pd.DataFrame({"a": cells}), "t.csv", origin="samples")
    (fault,) = caught.value.faults
    assert ("with a point before the decimals" in fault) == (cells[0] == "1,5")
    assert "`" not in fault
    assert "manifest" not in fault
