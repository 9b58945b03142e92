"""Tables: CSV, TSV and Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import Field

from fusearch.data.assembly.arrays import text_array
from fusearch.data.readers.reader import READERS, FileKeys, Reader, Rows, Source, one_line
from fusearch.data.table_schema import TableSchema, encode_table
from fusearch.errors import DataError, ManifestError, suggestion

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "TableKeys", "need_column", "read_ids", "read_table", "select_columns"]

FloatArray = npt.NDArray[np.float32]
StrArray = npt.NDArray[np.str_]

#: Suffixes of a table.
TABLES = (".csv", ".csv.gz", ".tsv", ".parquet")


class TableKeys(FileKeys):
    """Which columns of a table are taken."""

    columns: list[str] | None = Field(
        default=None,
        description="Columns to take, by name or pattern (`stage_*`). Left out: every column but the id and, in the labels file, "
        "the columns of target, split, group and image paths.",
        min_length=1,
    )
    categorical: list[str] = Field(default=[], description="Columns that hold levels, by name or pattern; taken beside `columns`.")


def read_table(path: Path, text_columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a CSV, TSV or Parquet file.

    Args:
        path: The file.
        text_columns: Columns that stay text even where they look like numbers, such as ids (`007`).

    Raises:
        DataError: The file is not of its format, or has no rows.
    """
    import pandas as pd

    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            frame = pd.read_parquet(path)
        else:
            separator = "\t" if name.endswith(".tsv") else ","
            frame = pd.read_csv(path, sep=separator, dtype=dict.fromkeys(text_columns, str), encoding="utf-8-sig", low_memory=False)
    except (ValueError, OSError, pd.errors.ParserError) as error:  # EmptyDataError, UnicodeDecodeError and ArrowInvalid are ValueErrors
        expected = "Parquet" if name.endswith(".parquet") else "UTF-8 text with a header line"
        raise DataError(f"{path.name}: cannot be read as a table ({one_line(error)}), expected {expected}") from None
    frame = frame.rename(columns=str)
    if not len(frame):
        raise DataError(f"{path.name}: the table has no rows, expected one for each sample")
    return frame


def read_ids(frame: pd.DataFrame, column: str | None, path: Path, place: str) -> StrArray:
    """Return the id of each row as text; the row numbers where there is no column of ids.

    Raises:
        ManifestError: There is no such column.
        DataError: An id is missing or stands there twice.
    """
    if column is None:
        return np.arange(len(frame)).astype(np.str_)
    need_column(frame, column, path, place)
    ids = text_array(frame[column], "id", path.name)
    first: dict[str, int] = {}
    for row, identity in enumerate(ids.tolist()):
        if identity in first:
            raise DataError(f"{path.name}: id {identity!r} stands in rows {first[identity] + 1} and {row + 1}, expected each id once")
        first[identity] = row
    return ids


def need_column(frame: pd.DataFrame, column: str, path: Path, place: str) -> None:
    """Refuse a column that a file lacks; `place` is the key of the manifest that names it.

    Raises:
        ManifestError: There is no such column.
    """
    if column not in frame.columns:
        raise ManifestError(f"{place}: no column {column!r} in {path.name}, {_column_hint(column, list(frame.columns))}")


def select_columns(source: Source, frame: pd.DataFrame) -> tuple[FloatArray, TableSchema]:
    """Return the columns that the manifest chooses, as numbers.

    Raises:
        ManifestError: A name or pattern that no column has, or a column that is no measurement.
        DataError: A value that is not a number.
    """
    keys = source.keys if isinstance(source.keys, TableKeys) else TableKeys(kind=source.keys.kind, file=source.keys.file)
    legal = [column for column in frame.columns if column not in source.reserved]

    def choose(patterns: Sequence[str], key: str) -> list[str]:
        chosen: list[str] = []
        for pattern in patterns:
            if pattern in source.reserved:
                what = f"{pattern!r} is the {source.reserved[pattern]}, expected a column of measurements"
                raise ManifestError(f"{source.place(key)}: {what}")
            matches = [pattern] if pattern in legal else [column for column in legal if fnmatchcase(column, pattern)]
            if not matches:
                what = f"no column matches {pattern!r} in {source.path.name}, {suggestion(pattern, legal)}"
                raise ManifestError(f"{source.place(key)}: {what}")
            chosen += matches
        return chosen

    categorical = choose(keys.categorical, "categorical")
    wanted = set(choose(keys.columns, "columns") if keys.columns is not None else legal) | set(categorical)
    table = frame[[column for column in legal if column in wanted]]
    return encode_table(table, categorical=categorical, place=source.path.name)


def _read(source: Source) -> Rows:
    frame = read_table(source.path, () if source.id is None else (source.id,))
    ids = None if source.id is None else read_ids(frame, source.id, source.path, source.place("file"))

    def take(rows: npt.NDArray[np.int64]) -> tuple[FloatArray, TableSchema]:
        values, schema = select_columns(source, frame)
        return values[rows], schema

    return Rows(ids, len(frame), take)


def _column_hint(column: str, columns: list[str]) -> str:
    hint = suggestion(column, columns)
    return hint if len(hint) <= 200 else f"expected one of its {len(columns)} columns ({', '.join(columns[:5])}, ...)"


READERS.add("table", Reader("table", TABLES, "a table", _read, TableKeys))
