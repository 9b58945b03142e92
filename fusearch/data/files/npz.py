"""Arrays of samples: NPY and NPZ."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.packed import refuse_bomb
from fusearch.data.files.text import one_line
from fusearch.errors import DataError, suggestion

__all__ = ["ARRAYS", "ArrayFile", "named_arrays", "names_in", "read_array", "read_entries"]

Array = npt.NDArray[Any]

#: Suffixes of an array.
ARRAYS = (".npy", ".npz")

#: An NPZ file that unpacks to more bytes than this, and to more than so many times its own (1,032 is what deflate can do), holds hardly
#: anything.
_MOST_BYTES, _MOST_PACKED = 2**28, 500

#: What numpy says of a broken file: its header is Python text, which may be anything, and may ask for any memory.
_BROKEN = (
    ValueError,
    OSError,
    EOFError,
    MemoryError,
    OverflowError,
    SyntaxError,
    TypeError,
    KeyError,
    NotImplementedError,
    RecursionError,
    tokenize.TokenError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class ArrayFile:
    """What an NPY or NPZ file holds.

    Attributes:
        values: The array of samples, (N, ...).
        ids: Id of each sample, (N,); None where the file has none of that name.
        others: The other arrays of an NPZ file that have one entry a sample, (N,), by name.
    """

    values: Array
    ids: Array | None = None
    others: dict[str, Array] = field(default_factory=dict)


def read_array(path: Path, key: str | None = None, id_name: str | None = None) -> ArrayFile:
    """Read an array of samples, and what else the file says of them.

    Args:
        path: The file.
        key: Name of the array in an NPZ file; None where it holds one array beside those of one entry a sample.
        id_name: Name of the array of ids in an NPZ file.

    Raises:
        DataError: The file is not of its format, or has no array of that name.
    """
    with _opened(path) as loaded:
        return _find(path, loaded, key, id_name)


def named_arrays(path: Path) -> dict[str, Array]:
    """Return every array of an NPZ file by its name, of one sample, say; that of an NPY file has the empty name.

    Raises:
        DataError: The file is not of its format, or holds Python objects.
    """
    with _opened(path) as loaded:
        if isinstance(loaded, np.ndarray):
            return {"": loaded}
        return {name: _read(loaded, name, path) for name in loaded.files}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Give what numpy loads of a file: an array, or an archive of them that is read while this is open.

    Raises:
        DataError: The file is not of its format, holds Python objects, or would unpack to far more than it is.
    """
    try:
        refuse_bomb(path, most=_MOST_BYTES, times=_MOST_PACKED, expected="arrays of measurements")
        with path.open("rb") as stream:
            yield np.load(stream, allow_pickle=False)
    except _BROKEN as error:
        raise DataError(f"{path.name}: cannot be read as an array ({one_line(error)}), expected NPY or NPZ without pickles") from None


def names_in(path: Path) -> list[str]:
    """Return the names of the arrays of an NPZ file; none of another file, and of one that cannot be read."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as loaded:
            return list(loaded.files)
    except (*_BROKEN, AttributeError):  # the last: of an array there is nothing to close
        return []


def _find(path: Path, loaded: Any, key: str | None, id_name: str | None) -> ArrayFile:
    if isinstance(loaded, np.ndarray):
        return ArrayFile(np.atleast_1d(loaded))
    with loaded:
        names = [name for name in loaded.files if name != id_name]
        if key is None:
            whole = [name for name in names if _read(loaded, name, path).ndim > 1] if len(names) > 1 else names
            if len(whole) != 1:
                raise DataError(f"{path.name}: {len(names)} arrays, expected `key` to name one of: {', '.join(names)}")
            key = whole[0]
        if key not in loaded.files:
            raise DataError(f"{path.name}: no array {key!r}, {suggestion(key, names)}")
        values = np.atleast_1d(_read(loaded, key, path))
        if not len(values):
            raise DataError(f"{path.name}: an array of shape {values.shape}, expected at least one sample")
        ids = None if id_name not in loaded.files else _read(loaded, str(id_name), path)
        if ids is not None and ids.size != len(values):
            what = f"array {id_name!r} of shape {ids.shape} beside {key!r} of shape {values.shape}"
            raise DataError(f"{path.name}: {what}, expected one id for each of its {len(values)} samples")
        others = {name: array for name in names if name != key and (array := _entries(loaded, name)).shape == (len(values),)}
        return ArrayFile(values, None if ids is None else ids.reshape(-1), others)


def read_entries(path: Path, like: str) -> dict[str, Array]:
    """Return the arrays of an NPZ file that have as many entries as one of them, (N,), by name.

    Args:
        path: The file.
        like: Name of that one.

    Raises:
        DataError: The file is no NPZ file, has no array of that name, or it is none of (N,).
    """
    found = read_array(path, like)
    if found.values.ndim != 1:
        raise DataError(f"{path.name}: array {like!r} of shape {found.values.shape}, expected one value a sample")
    return {like: found.values, **found.others}


def _read(loaded: Any, name: str, path: Path) -> Array:
    """Return an array of an NPZ file.

    Raises:
        DataError: It holds Python objects, which are never unpickled.
    """
    try:
        return np.asarray(loaded[name])
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        what = f"array {name!r} holds Python objects, which are not read"
        raise DataError(f"{path.name}: {what}; expected numbers, or texts saved with `.astype(str)`") from None


def _entries(loaded: Any, name: str) -> Array:
    """Return an array that is nothing but looked at; nothing where it holds Python objects."""
    try:
        return np.asarray(loaded[name])
    except ValueError:
        return np.empty((0, 0))
