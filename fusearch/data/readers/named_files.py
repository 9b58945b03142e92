"""Files of one sample each, which a column of a table names: what images, volumes and the like have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from fusearch.data.assembly.decoded import DecodedFiles, decode_once
from fusearch.data.files.frames import TABLES, read_table
from fusearch.data.files.stacking import named_file
from fusearch.data.files.text import as_text, where
from fusearch.data.readers.array_file import AxesKeys, axes_order, likelier_axes
from fusearch.data.readers.reader import Rows, SheetKeys, Source, Taken
from fusearch.data.readers.table_file import need_column, read_ids
from fusearch.errors import DataError, ManifestError

__all__ = ["NamedFileKeys", "check_window", "folder_of", "read_named_files", "read_recorded_files", "spread"]


class NamedFileKeys(AxesKeys, SheetKeys):
    """Where the files of the samples stand; a reader adds what they are brought to."""

    #: What a file is, for messages.
    what: ClassVar[str] = "file"
    #: The keys that say what the files are brought to: the arguments of the function that reads them.
    brought_to: ClassVar[tuple[str, ...]] = ()

    column: str | None = Field(default=None, description="Column of the table with the path of each sample's file.")
    root: str = Field(default=".", description="Folder that those paths start from, relative to the manifest.")

    def marks(self) -> dict[str, str]:
        """Return the column of paths."""
        return {} if self.column is None else {self.column: f"column of {self.what} paths"}

    def arguments(self) -> dict[str, Any]:
        """Return what the files are brought to, by the argument of the function that reads them."""
        return {key: getattr(self, key) for key in self.brought_to}

    @model_validator(mode="after")
    def _array_or_column(self) -> NamedFileKeys:
        if self.file.lower().endswith(TABLES) and self.column is None:
            raise ValueError(f"the table {self.file!r} needs the key 'column', the column with the path of each sample's {self.what}")
        return self


def read_named_files(source: Source, read: Callable[[Sequence[Path | None], Mapping[str, Any]], DecodedFiles], **more: Any) -> Rows:
    """Return the rows of a table that names a file a sample.

    Args:
        source: What the reader was given.
        read: Reads files, given what they are brought to, their `axes`, the `places` where they are named, and `make` for their array.
        **more: What else it is given, of what the manifest names.
    """
    keys = source.keys
    frame = read_table(source.path, lambda names: set(names), source.form)
    ids = None if source.id is None else read_ids(frame, source.id, source.path, source.place("file"))

    def take(rows: npt.NDArray[np.int64]) -> Taken:
        if not isinstance(keys, NamedFileKeys) or keys.column is None:  # the validator above refuses it; stated for the type checker
            raise ManifestError(f"{source.place('column')}: missing key, expected the column with the path of each sample's file")
        need_column(frame, keys.column, source.path, source.place("column"))
        root = folder_of(source, keys.root)
        names = as_text(frame[keys.column].iloc[rows], source.form.missing)
        if not any(names):
            what = f"column {keys.column!r} of {source.path.name} names no file, expected one for at least one sample"
            raise DataError(f"modality {source.name!r}: {what}")
        files, axes = [named_file(root, name) for name in names], _file_axes(source, keys.axes)
        places = [f"{source.path.name}, {where(frame.index, int(row))}" for row in rows]
        try:
            arguments = {**keys.arguments(), **more, "axes": axes, "places": places}
            found = decode_once(files, {**arguments, "kind": source.kind.name}, lambda make: read(files, {**arguments, "make": make}))
        except DataError as error:
            raise DataError(*(f"modality {source.name!r}: {fault}" for fault in error.faults)) from None
        arrays = any(name is not None and name.lower().endswith(".npy") for name in names)
        assumed = likelier_axes(source.kind, found.values.shape[1:], source.path.name) if arrays and axes is None else ()
        return Taken(found.values, None, (*assumed, *found.notes))

    return Rows(ids, len(frame), take, {str(name): values for name, values in frame.items()})


def read_recorded_files(
    source: Source, *, column: str, root: str, read: Callable[[list[Path | None], list[str]], npt.NDArray[np.float32]]
) -> Rows:
    """Return the rows of a table that names a sound or a recording a sample, which all become as long as each other.

    Args:
        source: What the reader was given.
        column: Column of the paths.
        root: Folder that they start from, relative to the manifest.
        read: Reads files, given where each is named.
    """
    frame = read_table(source.path, lambda names: {*source.reserved, column} & set(names), source.form)
    ids = None if source.id is None else read_ids(frame, source.id, source.path, source.place("file"))

    def take(rows: npt.NDArray[np.int64]) -> Taken:
        need_column(frame, column, source.path, source.place("column"))
        folder = folder_of(source, root)
        names = as_text(frame[column].iloc[rows], source.form.missing)
        files = [named_file(folder, name) for name in names]
        places = [f"{source.path.name}, {where(frame.index, int(row))}" for row in rows]
        try:
            values = read(files, places)
        except DataError as error:
            raise DataError(*(f"modality {source.name!r}: {fault}" for fault in error.faults)) from None
        return Taken(
            values, None, _silent(values, [f"{name} in {where(frame.index, int(row))}" for name, row in zip(names, rows, strict=True)])
        )

    return Rows(ids, len(frame), take, {str(name): values for name, values in frame.items()})


def _silent(values: npt.NDArray[np.float32], places: Sequence[str]) -> tuple[str, ...]:
    """Tell the files of one value throughout: silence, or a sensor that was not connected."""
    flat = values.reshape(len(values), -1)
    low, high = np.fmin.reduce(flat, axis=1), np.fmax.reduce(flat, axis=1)  # NaN, behind an end, is left out
    still = np.flatnonzero(low == high)
    if not len(still):
        return ()
    shown = ", ".join(places[row] for row in still[:3])
    return (f"{len(still)} of {len(values)} samples have a file of one value throughout, such as silence ({shown})",)


def folder_of(source: Source, root: str) -> Path:
    """Return the folder that paths start from.

    Raises:
        ManifestError: There is none.
    """
    folder = source.manifest.parent / root
    if not folder.is_dir():
        raise ManifestError(f"{source.place('root')}: no folder {root!r} beside the manifest")
    return folder


def spread(files: Sequence[Path], count: int) -> list[Path]:
    """Return at most so many of some files, from the first to the last."""
    return list(files[:: -(-len(files) // count)])


def check_window(window: Sequence[float] | None) -> None:
    """Refuse a window that tells nothing apart.

    Raises:
        ValueError: It does not rise.
    """
    if window is not None and window[0] >= window[1]:
        raise ValueError(f"window is {window}, expected a lower and a higher value")


def _file_axes(source: Source, axes: str | None) -> list[int] | None:
    """Return which axes of one sample's file are those of the kind."""
    if axes is None:
        return None
    try:
        samples, *others = axes_order(source.kind, axes)
    except ValueError as error:
        raise ManifestError(f"{source.place('axes')}: {error}") from None
    return [axis - (axis > samples) for axis in others]
