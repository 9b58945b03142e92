"""Images: one file a sample, named in the column of a table."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from fusearch.data.files.frames import TABLES, read_table
from fusearch.data.files.pictures import IMAGES, read_images
from fusearch.data.files.text import as_text
from fusearch.data.readers.array_file import AxesKeys, axes_order, likelier_axes
from fusearch.data.readers.reader import READERS, Reader, Rows, Source, Taken
from fusearch.data.readers.table_file import need_column, read_ids
from fusearch.errors import DataError, ManifestError

__all__ = ["ImageKeys"]


class ImageKeys(AxesKeys):
    """Where the files of the images stand, and what they are brought to."""

    column: str | None = Field(default=None, description=f"Column of the table with the path of each sample's image ({', '.join(IMAGES)}).")
    root: str = Field(default=".", description="Folder that those paths start from, relative to the manifest.")
    size: list[int] | None = Field(
        default=None,
        description="Height and width that all images are resized to (bilinear); left out, they must have one size.",
        min_length=2,
        max_length=2,
    )
    channels: int | None = Field(
        default=None, description="1 (grey) or 3 (colour), that all images are brought to; left out, they must have as many."
    )

    def marks(self) -> dict[str, str]:
        """Return the column of image paths."""
        return {} if self.column is None else {self.column: "column of image paths"}

    @model_validator(mode="after")
    def _array_or_column(self) -> ImageKeys:
        if self.file.lower().endswith(TABLES) and self.column is None:
            raise ValueError(f"the table {self.file!r} needs the key 'column', the column with the path of each sample's image")
        if self.channels not in (None, 1, 3):
            raise ValueError(f"channels is {self.channels}, expected 1 (grey) or 3 (colour)")
        if self.size is not None and min(self.size) < 1:
            raise ValueError(f"size is {self.size}, expected a height and a width of at least 1")
        return self


def _read(source: Source) -> Rows:
    keys = source.keys
    frame = read_table(source.path, lambda names: set(names), source.form)
    ids = None if source.id is None else read_ids(frame, source.id, source.path, source.place("file"))

    def take(rows: npt.NDArray[np.int64]) -> Taken:
        if not isinstance(keys, ImageKeys) or keys.column is None:  # the validator above refuses it; stated for the type checker
            raise ManifestError(f"{source.place('column')}: missing key, expected the column with the path of each sample's image")
        need_column(frame, keys.column, source.path, source.place("column"))
        root = source.manifest.parent / keys.root
        if not root.is_dir():
            raise ManifestError(f"{source.place('root')}: no folder {keys.root!r} beside the manifest")
        names = as_text(frame[keys.column].iloc[rows], source.form.missing)
        if not any(names):
            what = f"column {keys.column!r} of {source.path.name} names no file, expected one for at least one sample"
            raise DataError(f"modality {source.name!r}: {what}")
        files, axes = [None if name is None else root / name for name in names], _file_axes(source, keys.axes)
        try:
            images = read_images(files, size=keys.size, channels=keys.channels, axes=axes)
        except DataError as error:
            raise DataError(*(f"modality {source.name!r}: {fault}" for fault in error.faults)) from None
        arrays = any(name is not None and name.lower().endswith(".npy") for name in names)
        assumed = likelier_axes(source.kind, images.values.shape[1:], source.path.name) if arrays and axes is None else ()
        return Taken(images.values, None, (*assumed, *_depths(images.bits), *_stacks(images.stacks)))

    return Rows(ids, len(frame), take, {str(name): values for name, values in frame.items()})


def _file_axes(source: Source, axes: str | None) -> list[int] | None:
    """Return which axes of one sample's file are those of the kind."""
    if axes is None:
        return None
    try:
        samples, *others = axes_order(source.kind, axes)
    except ValueError as error:
        raise ManifestError(f"{source.place('axes')}: {error}") from None
    return [axis - (axis > samples) for axis in others]


def _stacks(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        return ()
    return (f"{len(names)} files hold several pictures (such as {names[0]!r}), of which the first was read; expected one picture a file",)


def _depths(bits: dict[int, int]) -> tuple[str, ...]:
    if len(bits) < 2:
        return ()
    told = " and ".join(f"{count} of {depth} bits" for depth, count in sorted(bits.items()))
    return (f"images of different depth: {told}, whose values are on different scales; expected one depth",)


READERS.add("images", Reader("images", TABLES, "a table that names a file a sample", _read, ImageKeys))
