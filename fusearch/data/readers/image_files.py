"""Images: one file a sample, named in the column of a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from fusearch.data.readers.array_file import read_array
from fusearch.data.readers.reader import READERS, FileKeys, Reader, Rows, Source, one_line
from fusearch.data.readers.table_file import TABLES, need_column, read_ids, read_table
from fusearch.errors import DataError, ManifestError

__all__ = ["ImageKeys", "read_image"]

FloatArray = npt.NDArray[np.float32]


class ImageKeys(FileKeys):
    """Where the files of the images stand."""

    column: str | None = Field(default=None, description="Column of the table with the path of each sample's image (.npy, .png, .jpg).")
    root: str = Field(default=".", description="Folder that those paths start from, relative to the manifest.")

    def marks(self) -> dict[str, str]:
        """Return the column of image paths."""
        return {} if self.column is None else {self.column: "column of image paths"}

    @model_validator(mode="after")
    def _array_or_column(self) -> ImageKeys:
        if self.file.lower().endswith(TABLES) and self.column is None:
            raise ValueError(f"the table {self.file!r} needs the key 'column', the column with the path of each sample's image")
        return self


def read_image(path: Path) -> FloatArray:
    """Read an image as (C, H, W) float32; the values stay as they are stored (0 to 255 for 8 bits).

    Raises:
        DataError: The file is missing or is not an image, or pillow, which reads PNG and JPEG, is not installed.
    """
    if not path.is_file():
        raise DataError(f"no image {path.name!r} in {str(path.parent)!r}, expected the path of a file below `root`")
    if path.suffix.lower() == ".npy":
        image = read_array(path, None, None)[0]
        if image.ndim not in (2, 3) or image.dtype.kind not in "fiub":
            raise DataError(f"{path.name}: an array of {image.dtype} and shape {image.shape}, expected numbers as (H, W) or (C, H, W)")
        return (image if image.ndim == 3 else image[None]).astype(np.float32)
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise DataError(f"{path.name}: reading it needs pillow; expected `pip install pillow`, or .npy files") from None
    try:
        with Image.open(path) as picture:
            plain = picture if picture.mode in ("L", "RGB", "I", "F") or picture.mode.startswith("I;16") else picture.convert("RGB")
            pixels = np.asarray(plain, dtype=np.float32)
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as error:  # pillow reports a broken PNG as SyntaxError
        raise DataError(f"{path.name}: cannot be read as an image ({one_line(error)}), expected .npy, .png or .jpg") from None
    return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)


def _read(source: Source) -> Rows:
    frame = read_table(source.path, () if source.id is None else (source.id,))
    ids = None if source.id is None else read_ids(frame, source.id, source.path, source.place("file"))

    def take(rows: npt.NDArray[np.int64]) -> tuple[FloatArray, None]:
        keys = source.keys
        if not isinstance(keys, ImageKeys) or keys.column is None:  # the validator above refuses it; stated for the type checker
            raise ManifestError(f"{source.place('column')}: missing key, expected the column with the path of each sample's image")
        need_column(frame, keys.column, source.path, source.place("column"))
        root = source.manifest.parent / keys.root
        if not root.is_dir():
            raise ManifestError(f"{source.place('root')}: no folder {keys.root!r} beside the manifest")
        column = frame[keys.column].iloc[rows]
        files = ["" if missing else str(file) for file, missing in zip(column, column.isna(), strict=True)]
        images = _read_images(source.name, root, files)
        if not images:
            what = f"column {keys.column!r} of {source.path.name} names no file, expected one for at least one sample"
            raise DataError(f"modality {source.name!r}: {what}")
        values = np.full((len(files), *next(iter(images.values())).shape), np.nan, np.float32)
        for row, image in images.items():
            values[row] = image
        return values, None

    return Rows(ids, len(frame), take)


def _read_images(name: str, root: Path, files: Sequence[str]) -> dict[int, FloatArray]:
    """Return row -> image, all of one shape; a row without a file has none."""
    images: dict[int, FloatArray] = {}
    for row, file in enumerate(files):
        if not file:
            continue
        images[row] = read_image(root / file)
        first = next(iter(images))
        if images[row].shape != images[first].shape:
            expected = f"{images[first].shape} as {files[first]!r} has (C, H, W)"
            raise DataError(f"modality {name!r}: image {file!r} has shape {images[row].shape}, expected {expected}")
    return images


READERS.add("images", Reader("images", TABLES, "a table that names a file a sample", _read, ImageKeys))
