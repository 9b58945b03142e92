"""Arrays of samples, brought to one form: float32 with NaN for a missing value, text without gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.text import as_text, where
from fusearch.data.kinds import KINDS, Kind
from fusearch.data.splits import SPLITS
from fusearch.data.symbol_schema import SymbolSchema
from fusearch.data.table_schema import TableSchema
from fusearch.errors import DataError, suggestion

__all__ = ["RawModality", "check_split_names", "has_values", "row_blocks", "shape_array", "text_array", "widen"]

Array = npt.NDArray[Any]
StrArray = npt.NDArray[np.str_]

#: Values that are looked at together.
_BLOCK = 2**22


@dataclass(frozen=True)
class RawModality:
    """One modality, aligned with the labels.

    Attributes:
        kind: What it is.
        values: (N, ...) float32, NaN where a value is missing.
        present: (N,) bool, False where the sample has no row.
        schema: The columns of a table, with the levels of every row.
        num_unlabelled: Number of rows of the file that belong to no sample.
        notes: What was assumed when it was read and may be wrong, in one line each.
        symbols: What the codes of a text or a sequence mean, with the symbols of every row.
    """

    kind: str
    values: npt.NDArray[np.float32]
    present: npt.NDArray[np.bool_]
    schema: TableSchema | None = None
    num_unlabelled: int = 0
    notes: tuple[str, ...] = ()
    symbols: SymbolSchema | None = None


def shape_array(values: Array, kind: str, place: str) -> npt.NDArray[np.float32]:
    """Bring an array of samples to the axes of its kind, as float32; a missing channel axis is added.

    Raises:
        DataError: The axes do not fit the kind, or a value is not a finite number or NaN.
    """
    entry = KINDS[kind]
    if values.dtype.kind not in "fiub":
        raise DataError(f"{place}: an array of {values.dtype}, expected numbers")
    layout = entry.layouts[0]
    if values.ndim == len(layout.axes) and layout.channel_axis is not None and layout.positions and not layout.linked:
        values = np.expand_dims(values, 1 + layout.channel_axis)
    if 0 in values.shape or not entry.fits(values.shape[1:]):
        raise DataError(f"{place}: an array of shape {values.shape}, expected {entry.legend} for kind {kind!r}")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if np.isinf(values).any():
        row = int(np.argwhere(np.isinf(values))[0][0])
        raise DataError(f"{place}: an infinite value in row {row + 1}, expected finite numbers or NaN")
    if entry.layout(values.shape[1:]).channel is None and ((values < 0) | (values % 1 > 0)).any():
        row = int(np.argwhere((values < 0) | (values % 1 > 0))[0][0])
        raise DataError(f"{place}: a value in row {row + 1} is no code, expected whole numbers: 0 behind the end, 1 unknown, then symbols")
    return values


def widen(values: npt.NDArray[np.float32], shape: tuple[int, ...], kind: Kind) -> npt.NDArray[np.float32]:
    """Return samples with missing positions at their end, as many as make them as long as those of a shape; as they are where none do."""
    if not kind.fits(shape) or values.ndim != 1 + len(shape):
        return values
    layout = kind.layout(shape)
    axis = layout.ragged_axis
    more = 0 if axis is None else shape[axis] - values.shape[1 + axis]
    if axis is None or more <= 0:
        return values
    axes = {axis + 1, 1 + (layout.channel_axis or 0)} if layout.linked else {axis + 1}
    return np.pad(values, [(0, more if other in axes else 0) for other in range(values.ndim)], constant_values=np.nan)


def check_split_names(names: StrArray, place: str, index: Any = None) -> StrArray:
    """Return the names of splits as they are.

    Raises:
        DataError: A name is not `train`, `val` or `test`.
    """
    for row, name in enumerate(names.tolist()):
        if name not in SPLITS:
            raise DataError(f"{place}: split {name!r} in {where(index, row)}, {suggestion(name, SPLITS)}")
    return names


def row_blocks(values: Array) -> list[slice]:
    """Return slices of the rows of an array that hold few enough values to be looked at together, so that no copy of all is made."""
    step = max(1, _BLOCK // max(1, values[:1].size))
    return [slice(start, start + step) for start in range(0, max(1, len(values)), step)]


def has_values(values: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Return which samples have any value at all, (N,)."""
    flat = values.reshape(len(values), -1)
    return np.concatenate([(~np.isnan(flat[rows])).any(axis=1) for rows in row_blocks(values)])


def text_array(values: Any, what: str, place: str, index: Any = None) -> StrArray:
    """Return values as text, one in every row.

    Args:
        values: The values, (N,).
        what: What they are, for messages.
        place: Where they come from, for messages.
        index: Where each row stands, as `read_table` gives it.

    Raises:
        DataError: A value is missing.
    """
    texts = as_text(values)
    for row, text in enumerate(texts):
        if text is None:
            raise DataError(f"{place}: no {what} in {where(index, row)}, expected one in every row")
    return np.array(texts, dtype=np.str_)
