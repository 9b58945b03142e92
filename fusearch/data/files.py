"""Reads the files of a manifest: tables, arrays, images. Every fault is one line with the file's name."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError, suggestion

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_array", "read_image", "read_table"]

Array = npt.NDArray[Any]


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
        raise DataError(f"{path.name}: cannot be read as a table ({_one_line(error)}), expected {_format(name)}") from None
    frame = frame.rename(columns=str)
    if not len(frame):
        raise DataError(f"{path.name}: the table has no rows, expected one for each sample")
    return frame


def read_array(path: Path, key: str | None, id_name: str | None) -> tuple[Array, Array | None]:
    """Read an array of samples from an NPY or NPZ file, and the ids of its rows where the file has them.

    Args:
        path: The file.
        key: Name of the array in an NPZ file; None where it holds one array.
        id_name: Name of the array of ids in an NPZ file.

    Raises:
        DataError: The file is not of its format, or has no array of that name.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded, None
        with loaded:
            names = [name for name in loaded.files if name != id_name]
            if key is None and len(names) != 1:
                raise DataError(f"{path.name}: {len(names)} arrays, expected `key` to name one of: {', '.join(names)}")
            key = names[0] if key is None else key
            if key not in loaded.files:
                raise DataError(f"{path.name}: no array {key!r}, {suggestion(key, names)}")
            return loaded[key], loaded[id_name] if id_name in loaded.files else None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path.name}: cannot be read as an array ({_one_line(error)}), expected NPY or NPZ without pickles") from None


def read_image(path: Path) -> npt.NDArray[np.float32]:
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
        raise DataError(f"{path.name}: cannot be read as an image ({_one_line(error)}), expected .npy, .png or .jpg") from None
    return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 120 else f"{text[:117]}..."


def _format(name: str) -> str:
    return "Parquet" if name.endswith(".parquet") else "UTF-8 text with a header line"
