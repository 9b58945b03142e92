"""How a text file is laid out: what people's programs write, read rightly or refused with the cause."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusearch.data.files.delimited import Shape, find_shape, read_text
from fusearch.errors import DataError


def shape(text: str, expected: str = ",", decimal: str | None = None) -> Shape:
    return find_shape(text, "t.csv", expected=expected, decimal=decimal)


def test_a_plain_file() -> None:
    assert shape("a,b\n1,2\n3,4\n") == Shape(("a", "b"), ",", ".", 1, (2, 3), frozenset())


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_is_what_stands_in_the_file(separator: str) -> None:
    found = shape("a,b,c\n1,2,3\n4,5,6\n".replace(",", separator))
    assert (found.separator, found.names) == (separator, ("a", "b", "c"))


def test_a_european_spreadsheet() -> None:
    found = shape("id;x;y\np1;1,5;2,25\np2;3,5;4,125\n")
    assert (found.separator, found.decimal, found.names) == (";", ",", ("id", "x", "y"))


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("a;b\n1,25;2\n3;4\n", ","),
        ("a;b\n0,125;2\n", ","),
        ("a;b\n1,234;2\n", "."),  # a thousand or a bit more than one
        ("a;b\n1,25;2.5\n", "."),  # both: no decimal comma
        ("a;b\n1.5;2\n", "."),
        ('a,b\n"1,5",2\n', ","),
        ("a,b\n1,2\n", "."),
    ],
)
def test_a_decimal_comma_is_one_where_nothing_speaks_against_it(text: str, decimal: str) -> None:
    assert shape(text).decimal == decimal


def test_the_manifest_says_what_a_file_leaves_open() -> None:
    assert shape("a;b\n1,234;2\n", decimal=",").decimal == ","
    assert shape("a;b\n1.5;2\n", decimal=",").decimal == "."
    assert shape("a;b\n1,25;2.5\n", decimal=",").decimal == ","
    assert shape("a;b\n1,234;2.5\n", decimal=",").decimal == "."  # beside a decimal point the comma may part thousands
    assert shape("a;b\n1,25;2\n", decimal=".").decimal == ","


def test_rows_without_any_value_are_left_out_and_lines_are_those_of_the_file() -> None:
    found = shape("\na,b\n1,2\n,\n\n3,4\n , \n")
    assert (found.skip, found.lines, found.blank) == (2, (3, 6), {1, 2, 4})


def test_a_line_may_hold_line_breaks_and_separators_in_quotes() -> None:
    found = shape('a,"b\nc"\n1,"x, y\nz"\n2,w\n')
    assert (found.names, found.skip, found.lines) == (("a", "b\nc"), 2, (4, 5))


def test_a_separator_behind_the_last_column() -> None:
    assert shape("a,b\n1,2,\n3,4,\n").names == ("a", "b", "")
    assert shape("a,b,\n1,2,\n3,4,\n").names == ("a", "b", "")


def test_names_of_rows_as_r_writes_them() -> None:
    assert shape("a,b\nr1,1,2\nr2,3,4\n").names == ("", "a", "b")
    assert shape("a,b\n1,1,2\n2,3,4\n").names == ("", "a", "b")
    assert shape(",a\n0,1\n1,2\n").names == ("", "a")
    assert shape("Unnamed: 0,a\n0,1\n1,2\n").names == ("", "a")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv: the file is empty, expected a header line and a row for each sample"),
        ("\n\n", "t.csv: the file is empty"),
        ("a,b\n", "t.csv: the table has no rows, expected one for each sample"),
        ("a,b\n1,2\n1,2,3\n", "t.csv: line 3 has 3 fields, expected 2 with ',' between them"),
        ("a,b,c\n1,2\n3,4\n", "t.csv: the header has 3 fields, its rows 2, with ',' between them; expected one name a column"),
        ("a,b\n1.5,1,2\n2.5,3,4\n", "t.csv: the header has 2 fields, its rows 3"),
        ("a,b,a\n1,2,3\n", "t.csv: columns 1 and 3 are both named 'a', expected one column of each name"),
        (
            "id,age,crp\n,years,mg/l\np1,50,1.5\np2,60,2.5\np3,70,0.5\n",
            r"t.csv: line 2 looks like units or a second header \(years, mg/l\), expected a sample in each row; delete the line",
        ),
    ],
)
def test_what_is_not_certain_is_refused_with_its_cause(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        shape(text)


@pytest.mark.parametrize("decimal", [None, ","])
def test_points_that_may_part_thousands_are_refused(decimal: str | None) -> None:
    text = "id;wbc;hb\np1;1.234;97\np2;512;107\np3;2.040;98\n"
    told = "t.csv: column 'wbc' holds '1.234' in line 2 and '512' in line 3; expected '1234' if the point parts thousands, else `decimal: "
    with pytest.raises(DataError, match=re.escape(told)):
        shape(text, decimal=decimal)
    for sure in (text.replace("98", "98.5"), text.replace("2.040", "0.204"), text.replace(";", ","), text.replace("512", "5.123")):
        assert shape(sure, decimal=decimal).decimal == "."
    assert shape(text, decimal=".").decimal == "."


def test_a_first_row_of_gaps_or_of_text_alone_is_no_row_of_units() -> None:
    assert len(shape("a,b\nNA,NA\n1,2\n3,4\n5,6\n").lines) == 4
    assert len(shape("a,b\nx,y\nz,w\nu,v\ns,t\n").lines) == 4
    assert len(shape("a,b\nx,1\n2,2\n3,4\n5,6\n").lines) == 4


@given(st.integers(1, 5), st.integers(1, 6), st.sampled_from([",", ";", "\t"]))
def test_any_table_of_numbers_has_its_own_shape(columns: int, rows: int, separator: str) -> None:
    lines = [separator.join(f"c{column}" for column in range(columns))]
    lines += [separator.join(str(10 * row + column) for column in range(columns)) for row in range(rows)]
    found = shape("\n".join(lines), expected=separator)
    assert found == Shape(tuple(f"c{column}" for column in range(columns)), separator, ".", 1, tuple(range(2, rows + 2)), frozenset())


def test_text_is_unpacked_and_has_no_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffa\n".encode())
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a\n"))
    assert read_text(tmp_path / "a.csv") == read_text(tmp_path / "a.csv.gz") == "a\n"


@pytest.mark.parametrize(("name", "packed"), [("t.csv", True), ("t.csv.gz", False), ("t.csv.gz", True)])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_says_itself_how_it_is_packed_and_encoded(tmp_path: Path, name: str, packed: bool, encoding: str) -> None:
    data = "a,b\n1,ä\n".encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(data) if packed else data)
    assert read_text(tmp_path / name) == "a,b\n1,ä\n"


def test_what_is_no_text_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("a,b\n1,x\n2,ä\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"t.csv: .*line 3 holds the byte 'e4', which is not UTF-8.*; save the file as CSV UTF-8"):
        read_text(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_bytes(b"PK\x03\x04\xff")
    with pytest.raises(DataError, match=r"t.csv: a zip archive or a spreadsheet \(XLSX\), expected text; name it .xlsx, or save"):
        read_text(tmp_path / "t.csv")


@pytest.mark.parametrize("above", ["# exported\n# today\n", "Table 1\n\n"])
def test_lines_above_the_header_are_named(above: str) -> None:
    with pytest.raises(
        DataError, match=r"t.csv: line 1 \('.*'\) has one field, line 3 3 with ',' between them; .*delete the lines above them"
    ):
        shape(f"{above}a,b,c\n1,2,3\n4,5,6\n")


def test_a_quote_that_is_not_closed_is_found() -> None:
    with pytest.raises(DataError, match=r"t.csv: line 5 has 2 fields, expected 3 .*; a quote that opens in line 3 may not be closed"):
        shape('a,b,c\n1,2,3\n4,"5,6\n7,8,9\n1,2,3\n')


@pytest.mark.parametrize("separator", [",", ";"])
def test_the_line_that_excel_puts_above_the_header_is_no_header(tmp_path: Path, separator: str) -> None:
    (tmp_path / "t.csv").write_bytes(f"sep={separator}\r\na,b\r\n1,2\r\n".replace(",", separator).encode())
    found = shape(read_text(tmp_path / "t.csv"))
    assert (found.names, found.separator, found.lines) == (("a", "b"), separator, (3,))


def test_zero_bytes_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n3,\x004\n")
    with pytest.raises(DataError, match=r"t.csv: line 3 holds a zero byte, expected UTF-8 text; save"):
        read_text(tmp_path / "t.csv")
