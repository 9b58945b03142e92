"""Sounds: one file a sample, named in the column of a table, read as log-mel features."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import Field

from fusearch.data.files.frames import TABLES, read_table
from fusearch.data.files.sounds import SOUNDS, read_sounds
from fusearch.data.files.text import as_text, where
from fusearch.data.readers.reader import READERS, FileKeys, Reader, Rows, Source, Taken
from fusearch.data.readers.table_file import need_column, read_ids
from fusearch.errors import DataError, ManifestError

__all__ = ["SoundKeys"]


class SoundKeys(FileKeys):
    """Where the files of the sounds stand, and what is made of them."""

    column: str = Field(description=f"Column of the table with the path of each sample's sound ({', '.join(SOUNDS)}).")
    root: str = Field(default=".", description="Folder that those paths start from, relative to the manifest.")
    rate: int = Field(default=16_000, description="Samples a second that all sounds are brought to.", ge=1_000, le=192_000)
    seconds: float = Field(default=4.0, description="Length: a longer sound is cut, a shorter one ends in silence.", ge=0.05, le=600)
    mels: int = Field(default=64, description="Log-mel features of each frame (25 ms, one every 10 ms).", ge=4, le=256)

    def marks(self) -> dict[str, str]:
        """Return the column of paths."""
        return {self.column: "column of sound paths"}

    def package_of(self, name: str) -> str | None:
        """Return the package that reads a file of that name, beside numpy and scipy."""
        return None if name.lower().endswith(".wav") else "soundfile"


def _read(source: Source) -> Rows:
    keys = source.keys
    if not isinstance(keys, SoundKeys):  # stated for the type checker
        raise ManifestError(f"{source.place('column')}: missing key")
    frame = read_table(source.path, lambda names: {*source.reserved, keys.column} & set(names), source.form)
    ids = None if source.id is None else read_ids(frame, source.id, source.path, source.place("file"))

    def take(rows: npt.NDArray[np.int64]) -> Taken:
        need_column(frame, keys.column, source.path, source.place("column"))
        root = source.manifest.parent / keys.root
        if not root.is_dir():
            raise ManifestError(f"{source.place('root')}: no folder {keys.root!r} beside the manifest")
        names = as_text(frame[keys.column].iloc[rows], source.form.missing)
        files = [None if name is None else root / name.replace("\\", "/") for name in names]
        places = [f"{source.path.name}, {where(frame.index, int(row))}" for row in rows]
        try:
            return Taken(read_sounds(files, places.__getitem__, rate=keys.rate, seconds=keys.seconds, mels=keys.mels))
        except DataError as error:
            raise DataError(*(f"modality {source.name!r}: {fault}" for fault in error.faults)) from None

    return Rows(ids, len(frame), take, {str(name): values for name, values in frame.items()})


READERS.add("sounds", Reader("sounds", TABLES, "a table that names a file a sample", _read, SoundKeys))
