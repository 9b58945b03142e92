"""Sounds: one file a sample, named in the column of a table, read as log-mel features."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pydantic import Field

from fusearch.data.files.frames import TABLES
from fusearch.data.files.sounds import SOUNDS, read_sounds
from fusearch.data.readers.named_files import read_recorded_files
from fusearch.data.readers.reader import READERS, Reader, Rows, SheetKeys, Source
from fusearch.errors import ManifestError

__all__ = ["SoundKeys"]


class SoundKeys(SheetKeys):
    """Where the files of the sounds stand, and what is made of them."""

    column: str = Field(description=f"Column of the table with the path of each sample's sound ({', '.join(SOUNDS)}).")
    root: str = Field(default=".", description="Folder that those paths start from, relative to the manifest.")
    rate: int = Field(default=16_000, description="Samples a second that all sounds are brought to.", ge=1_000, le=192_000)
    seconds: float = Field(default=4.0, description="Length: a longer sound is cut, a shorter one ends in silence.", ge=0.05, le=600)
    mels: int = Field(default=64, description="Log-mel features of each frame (25 ms, one every 10 ms).", ge=4, le=256)

    def marks(self) -> dict[str, str]:
        """Return the column of paths."""
        return {self.column: "column of sound paths"}

    def packages_of(self, file: Path) -> tuple[str, ...]:
        """Return the packages that read a sound."""
        return ("scipy",) if file.name.lower().endswith(".wav") else ("scipy", "soundfile")


def _read(source: Source) -> Rows:
    keys = source.keys
    if not isinstance(keys, SoundKeys):  # stated for the type checker
        raise ManifestError(f"{source.place('column')}: missing key")
    read = partial(read_sounds, rate=keys.rate, seconds=keys.seconds, mels=keys.mels)
    return read_recorded_files(source, column=keys.column, root=keys.root, read=read)


_CARRIED = ("column", "root", "rate", "seconds", "mels")
READERS.add("sounds", Reader("sounds", TABLES, "a table that names a file a sample", _read, SoundKeys, _CARRIED, SOUNDS))
