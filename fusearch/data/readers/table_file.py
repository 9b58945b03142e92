"""Tables: CSV, TSV, Parquet and Excel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import Field

from fusearch.data.files.frames import TABLES, merges_numbers, read_table
from fusearch.data.files.ids import ids_of
from fusearch.data.readers.reader import READERS, Reader, Rows, SheetKeys, Source, Taken
from fusearch.data.table_schema import TableSchema, encode_table
from fusearch.errors import ManifestError, suggestion

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TableKeys", "need_column", "read_ids", "select_columns"]

FloatArray = npt.NDArray[np.float32]


class TableKeys(SheetKeys):
    """Which columns of a table are taken."""

    columns: list[str] | None = Field(
        default=None,
        description="Columns to take, by name or pattern (`stage_*`). Left out: every column but the id and, in the labels file, "
        "the columns of target, split, group, texts and paths.",
        min_length=1,
    )
    categorical: list[str] = Field(
        default=[],
        description="Columns that hold levels, by name or pattern; taken beside `columns`, and read as text: `010` stays.",
    )


def read_ids(frame: pd.DataFrame, column: str | None, path: Path, place: str) -> list[str]:
    """Return the id of each row as text; the row numbers where there is no column of ids.

    Raises:
        ManifestError: There is no such column.
        DataError: An id is missing or stands there twice.
    """
    if column is None:
        return [str(row) for row in range(len(frame))]
    need_column(frame, column, path, place)
    return ids_of(frame[column], "id", path.name, frame.index)


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
            matches = _matches(pattern, legal)
            if not matches:
                what = f"no column matches {pattern!r} in {source.path.name}, {_column_hint(pattern, legal)}"
                raise ManifestError(f"{source.place(key)}: {what}")
            chosen += matches
        return chosen

    categorical = choose(keys.categorical, "categorical")
    wanted = set(choose(keys.columns, "columns") if keys.columns is not None else legal) | set(categorical)
    table = frame[[column for column in legal if column in wanted]]
    return encode_table(table, categorical=categorical, place=source.path.name, missing=source.form.missing)


def _matches(pattern: str, names: Sequence[str]) -> list[str]:
    return [pattern] if pattern in names else [name for name in names if fnmatchcase(name, pattern)]


def _text_columns(source: Source) -> Callable[[Sequence[str]], Collection[str]]:
    """Return what picks the columns that stay text: the id, what is no measurement, levels."""
    patterns = source.keys.categorical if isinstance(source.keys, TableKeys) else []
    return lambda names: {*source.reserved, *(match for pattern in patterns for match in _matches(pattern, names))} & set(names)


def _read(source: Source) -> Rows:
    frame = read_table(source.path, _text_columns(source), source.form)
    ids = None if source.id is None else read_ids(frame, source.id, source.path, source.place("file"))

    def take(rows: npt.NDArray[np.int64]) -> Taken:
        values, schema = select_columns(source, frame)
        return Taken(values[rows], schema, _merged_numbers(frame, schema.numeric))

    return Rows(ids, len(frame), take, {str(name): values for name, values in frame.items()})


def _merged_numbers(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[str, ...]:
    """Tell the columns whose numbers are so long that float32, in which everything is computed, takes different ones for one."""
    notes = []
    for name in columns:
        cells = frame[name]
        found = merges_numbers(cells.to_numpy(np.float64, na_value=np.nan)) if cells.dtype.kind in "iuf" else None
        if found is not None:
            what = f"column {name!r}: float32 takes {found[0]:.17g} and {found[1]:.17g} for one number, and others like them"
            notes.append(f"{what}; if it is an id, leave it out, else subtract what all have in common")
    return tuple(notes)


def _column_hint(column: str, columns: list[str]) -> str:
    hint = suggestion(column, columns)
    return hint if len(hint) <= 200 else f"expected one of its {len(columns)} columns ({', '.join(columns[:5])}, ...)"


READERS.add("table", Reader("table", TABLES, "a table", _read, TableKeys))
