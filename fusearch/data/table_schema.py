"""A table as numbers: numeric columns as they are, categorical columns as level codes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fusearch.data.files.frames import TableOrigin, codes_of, numbers_of
from fusearch.data.files.text import as_text
from fusearch.errors import DataError
from fusearch.tasks.columns import sorted_labels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TableSchema", "encode_table", "restrict_levels"]

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

    def encode(self, frame: pd.DataFrame, *, place: str, missing: Collection[str] = (), origin: TableOrigin = "manifest") -> FloatArray:
        """Return the table as (N, columns) float32: NaN where a value is missing, -1 where a level is not in the schema.

        Raises:
            DataError: A column is missing, or a numeric column holds something that is not a finite number.
        """
        numbers = numbers_of(frame[list(self.numeric)], place, origin=origin)
        codes = [codes_of(as_text(frame[name], missing), levels)[:, None] for name, levels in self.categorical.items()]
        return np.concatenate([numbers, *codes], axis=1)


def encode_table(
    frame: pd.DataFrame, *, categorical: Sequence[str] = (), place: str, missing: Collection[str] = (), origin: TableOrigin = "manifest"
) -> tuple[FloatArray, TableSchema]:
    """Turn a table into numbers, with the levels of every row in the schema.

    Args:
        frame: One row a sample.
        categorical: Names of the columns that hold levels; every other column is numeric.
        place: Where the table comes from, for messages.
        missing: Texts that stand for a missing level.
        origin: Where the table comes from, as for `numbers_of`.

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
    levels = {name: sorted_labels({text for text in as_text(frame[name], missing) if text is not None}) for name in categorical}
    levels = {name: levels[name] for name in names if name in levels}
    schema = TableSchema(tuple(name for name in names if name not in levels), levels)
    return schema.encode(frame, place=place, missing=missing, origin=origin), schema


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
