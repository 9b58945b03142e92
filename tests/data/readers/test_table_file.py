from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fusearch.data.readers.table_file import read_table
from fusearch.errors import DataError

FRAME = pd.DataFrame({"patient": ["007", "010"], "age": [30.5, 40.0]})


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.parquet"])
def test_every_sort_of_table_gives_the_same_frame(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        FRAME.to_parquet(path)
    else:
        FRAME.to_csv(path, index=False, sep="\t" if name.endswith("tsv") else ",")
    frame = read_table(path, ("patient",))
    assert frame["patient"].tolist() == ["007", "010"]
    assert frame["age"].tolist() == [30.5, 40.0]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("﻿patient,age\n1,2\n", encoding="utf-8")
    assert list(read_table(tmp_path / "t.csv").columns) == ["patient", "age"]


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
            lambda f: read_table(f / "empty.csv"),
            r"empty.csv: cannot be read as a table \(No columns to parse from file\), expected UTF-8 text with",
        ),
        (lambda f: read_table(f / "header.csv"), "header.csv: the table has no rows, expected one for each sample"),
        (
            lambda f: read_table(f / "ragged.csv"),
            r"ragged.csv: cannot be read as a table \(.*line 3.*\), expected UTF-8 text with a header line",
        ),
        (
            lambda f: read_table(f / "latin.csv"),
            r"latin.csv: cannot be read as a table \(.*utf-8.*\), expected UTF-8 text with a header line",
        ),
        (lambda f: read_table(f / "broken.parquet"), r"broken.parquet: cannot be read as a table \(.*\), expected Parquet"),
    ],
)
def test_messages(tmp_path: Path, call: Any, message: str) -> None:
    make_broken_files(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        call(tmp_path)
    assert "\n" not in str(caught.value)
