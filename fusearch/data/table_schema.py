"""A table as numbers: numeric columns as they are, categorical columns as level codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError
from fusearch.tasks.columns import sorted_labels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TableSchema", "as_text", "encode_table", "restrict_levels"]

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table: numeric ones first, then categorical ones as level codes.

    Attributes:
        numeric: Names of the numeric columns.
        categorical: Name -> levels; the code of a level is its position. Levels come from train + val rows.
    """

    numeric: tuple[str, ...] = ()
    categorical: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Width of the table as a network sees it: numeric columns, then one column for each level."""
        return len(self.numeric) + sum(len(levels) for levels in self.categorical.values())

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the raw columns, in order."""
        return (*self.numeric, *self.categorical)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns as a network sees them: `age`, then `sex=female`, `sex=male`."""
        return (*self.numeric, *(f"{name}={level}" for name, levels in self.categorical.items() for level in levels))

    def encode(self, frame: pd.DataFrame, *, place: str) -> FloatArray:
        """Return the table as (N, columns) float32: NaN where a value is missing, -1 where a level is not in the schema.

        Raises:
            DataError: A column is missing, or a numeric column holds something that is not a finite number.
        """
        blocks = list(_numbers(frame, self.numeric, place).T)
        for name, levels in self.categorical.items():
            code_of = {level: float(code) for code, level in enumerate(levels)}
            blocks.append(np.array([np.nan if text is None else code_of.get(text, -1.0) for text in as_text(frame[name])], np.float32))
        return np.stack(blocks, axis=1) if blocks else np.empty((len(frame), 0), np.float32)


def encode_table(frame: pd.DataFrame, *, categorical: Sequence[str] = (), place: str) -> tuple[FloatArray, TableSchema]:
    """Turn a table into numbers, with the levels of every row in the schema.

    Args:
        frame: One row a sample.
        categorical: Names of the columns that hold levels; every other column is numeric.
        place: Where the table comes from, for messages.

    Returns:
        (N, columns) float32, NaN where a value is missing; and the schema.

    Raises:
        DataError: There is no column, or a numeric column holds something that is not a finite number.
    """
    frame = frame.rename(columns=str)
    names = list(frame.columns)
    if not names:
        raise DataError(f"{place}: the table has no column beside the id, expected at least one")
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise DataError(f"{place}: column {twice[0]!r} stands there twice, expected one column of each name")
    levels = {name: _levels(frame[name]) for name in names if name in set(categorical)}
    schema = TableSchema(tuple(name for name in names if name not in levels), levels)
    return schema.encode(frame, place=place), schema


def restrict_levels(values: FloatArray, schema: TableSchema, rows: npt.NDArray[np.int64]) -> tuple[FloatArray, TableSchema]:
    """Keep the levels that occur in `rows`; the codes of the others become -1, which is encoded as all zeros."""
    values = values.copy()
    kept: dict[str, tuple[str, ...]] = {}
    for column, (name, levels) in enumerate(schema.categorical.items(), start=len(schema.numeric)):
        codes = values[:, column]
        seen = np.unique(codes[rows][codes[rows] >= 0]).astype(int)
        new_code = np.full(len(levels) + 1, -1, np.float32)  # the last entry serves code -1
        new_code[seen] = np.arange(len(seen))
        known = ~np.isnan(codes)
        codes[known] = new_code[codes[known].astype(int)]
        kept[name] = tuple(levels[code] for code in seen)
    return values, TableSchema(schema.numeric, kept)


def as_text(values: Any) -> list[str | None]:
    """Return values as text, None where one is missing; whole numbers lose their `.0`, so that 1 and 1.0 are the same level."""
    import pandas as pd

    series = pd.Series(values)
    missing = series.isna().to_numpy()
    if pd.api.types.is_float_dtype(series.dtype):
        known = series[~missing]
        if bool((known == known.round()).all()) and bool((known.abs() < 2**53).all()):
            series = series.astype("Int64")
    return [None if gone else str(value).strip() for value, gone in zip(series.tolist(), missing, strict=True)]


def _levels(series: pd.Series[Any]) -> tuple[str, ...]:
    return sorted_labels({text for text in as_text(series) if text is not None})


def _numbers(frame: pd.DataFrame, names: Sequence[str], place: str) -> FloatArray:

    part = frame[list(names)]
    plain = all(isinstance(dtype, np.dtype) and dtype.kind in "bif" for dtype in part.dtypes)
    numbers = part if plain else part.apply(lambda series: _as_number(series, place))
    with np.errstate(over="ignore"):
        values = np.asarray(numbers.to_numpy(dtype=np.float64, na_value=np.nan)).astype(np.float32)
    if np.isinf(values).any():
        row, column = (int(index) for index in np.argwhere(np.isinf(values))[0])
        value = str(part.iloc[row, column])
        raise DataError(f"{place}: column {names[column]!r} holds {value} in row {row + 1}, expected a finite number or an empty cell")
    return values


def _as_number(series: pd.Series[Any], place: str) -> pd.Series[Any]:
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    dates = pd.api.types.is_datetime64_any_dtype(series.dtype)
    numbers = pd.Series(np.nan, series.index) if dates else pd.to_numeric(series, errors="coerce")
    bad = numbers.isna().to_numpy() & ~series.isna().to_numpy()
    if bad.any():
        row, name = int(np.flatnonzero(bad)[0]), series.name
        hint = f"a number (or {name!r} under `categorical`, or left out by `columns`)"
        raise DataError(f"{place}: column {name!r} holds {str(series.iloc[row])!r} in row {row + 1}, expected {hint}")
    return numbers.astype(np.float64)
