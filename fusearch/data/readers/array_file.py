"""Arrays of samples: NPY and NPZ."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from fusearch.data.assembly.arrays import shape_array
from fusearch.data.files.frames import drop_missing
from fusearch.data.files.ids import ids_of
from fusearch.data.files.npz import ARRAYS, read_array
from fusearch.data.kinds import Kind, Layout
from fusearch.data.readers.reader import READERS, FileKeys, Reader, Rows, Source, Taken
from fusearch.data.readers.table_file import select_columns
from fusearch.errors import ManifestError

__all__ = ["ArrayKeys", "AxesKeys", "axes_order", "in_order", "likelier_axes"]

Array = npt.NDArray[Any]

#: So many entries along an axis are channels of a picture, where they stand last.
_COLOURS = (1, 2, 3, 4)


class AxesKeys(FileKeys):
    """How an array lies in its file."""

    axes: str | None = Field(
        default=None, description="Order of the axes in the file, such as `NHWC` or `NCT`; left out, that of the kind.", pattern="^[A-Z]+$"
    )


class ArrayKeys(AxesKeys):
    """Which array of a file is taken."""

    key: str | None = Field(default=None, description="Name of the array in an NPZ file; may be left out where the file holds one.")


def _read(source: Source) -> Rows:
    keys = source.keys if isinstance(source.keys, ArrayKeys) else ArrayKeys(kind=source.keys.kind, file=source.keys.file)
    place = source.path.name
    found = read_array(source.path, keys.key, source.id)
    values = found.values if keys.axes is None else in_order(source, found.values, keys.axes)
    ids = None if found.ids is None else ids_of(found.ids, "id", place)

    def take(rows: npt.NDArray[np.int64]) -> Taken:
        shaped = shape_array(values, source.kind.name, place)
        if not source.kind.columns:
            assumed = likelier_axes(source.kind, shaped.shape[1:], place) if keys.axes is None else ()
            return Taken(shaped[rows], None, assumed)
        import pandas as pd

        frame = drop_missing(pd.DataFrame(shaped).add_prefix(f"{source.name}_"), source.form.missing)
        numbers, schema = select_columns(source, frame)
        return Taken(numbers[rows], schema)

    return Rows(ids, len(values), take, found.others)


def axes_order(kind: Kind, axes: str) -> list[int]:
    """Return which axes of a file, named by letters, are those of the kind, one after the other.

    Raises:
        ValueError: The letters are not those of the kind.
    """
    layouts = [f"N{layout.axes}" for layout in kind.layouts]
    order = next((layout for layout in layouts if sorted(layout) == sorted(axes)), None)
    if order is None:
        raise ValueError(f"{axes!r}, expected the letters of {' or '.join(layouts)} in the order of the file")
    return [axes.index(letter) for letter in order]


def in_order(source: Source, values: Array, axes: str) -> Array:
    """Return the array of a file with its axes in the order of the kind.

    Raises:
        ManifestError: The letters of `axes` are not those of the kind, or not as many as the array has axes.
    """
    try:
        order = axes_order(source.kind, axes)
    except ValueError as error:
        raise ManifestError(f"{source.place('axes')}: {error}") from None
    if values.ndim != len(axes):
        raise ManifestError(f"{source.place('axes')}: {axes!r}, but {source.path.name} holds an array of shape {values.shape}")
    return values.transpose(order)


def likelier_axes(kind: Kind, shape: tuple[int, ...], place: str) -> tuple[str, ...]:
    """Say so where the channels seem to stand on another axis than the kind has them."""
    layout = kind.layout(shape)
    if layout.channel_axis is None or not layout.positions or not kind.ordered or kind.symbolic:
        return ()
    other = _likelier(layout, shape)
    if other is None:
        return ()
    what = f"samples of shape {shape} were read as ({', '.join(layout.axes)}), {shape[layout.channel_axis]} channels"
    return (f"{place}: {what}; if they are ({', '.join(other)}), say `axes: N{other}`, else `axes: N{layout.axes}`",)


def _likelier(layout: Layout, shape: tuple[int, ...]) -> str | None:
    """Return the order of the axes that a shape speaks for, where it is another."""
    channels, letter = shape[layout.channel_axis or 0], layout.channel
    places = layout.axes.replace(str(letter), "")
    if layout.channel_axis == 0:
        last = shape[-1]
        return f"{places}{letter}" if last in _COLOURS and channels > max(_COLOURS) else None
    if len(layout.positions) == 1 and layout.channel_axis == len(shape) - 1:
        return f"{letter}{places}" if channels > 2 * shape[0] and channels > 32 else None
    return None


READERS.add("array", Reader("array", ARRAYS, "an array of {axes}", _read, ArrayKeys))
