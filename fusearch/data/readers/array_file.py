"""Arrays of samples: NPY and NPZ."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from fusearch.data.assembly.arrays import shape_array, text_array
from fusearch.data.readers.reader import READERS, FileKeys, Reader, Rows, Source, one_line
from fusearch.data.readers.table_file import select_columns
from fusearch.data.table_schema import TableSchema
from fusearch.errors import DataError, suggestion

__all__ = ["ArrayKeys", "read_array"]

Array = npt.NDArray[Any]


class ArrayKeys(FileKeys):
    """Which array of a file is taken."""

    key: str | None = Field(default=None, description="Name of the array in an NPZ file; may be left out where the file holds one.")


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
        raise DataError(f"{path.name}: cannot be read as an array ({one_line(error)}), expected NPY or NPZ without pickles") from None


def _read(source: Source) -> Rows:
    key = source.keys.key if isinstance(source.keys, ArrayKeys) else None
    values, ids = read_array(source.path, key, source.id)
    values = np.atleast_1d(values)
    if not source.kind.columns:
        return Rows.of(source, values, ids)

    def take(rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float32], TableSchema]:
        import pandas as pd

        frame = pd.DataFrame(shape_array(values, source.kind.name, source.path.name)).add_prefix(f"{source.name}_")
        numbers, schema = select_columns(source, frame)
        return numbers[rows], schema

    return Rows(None if ids is None else text_array(ids, "id", source.path.name), len(values), take)


READERS.add("array", Reader("array", (".npy", ".npz"), "an array of {axes}", _read, ArrayKeys))
