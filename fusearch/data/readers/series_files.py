"""Series that a table holds, a row a step, or whose files it names (EDF)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from fusearch.data.files.frames import TABLES, read_table
from fusearch.data.files.npz import ARRAYS
from fusearch.data.files.series import RECORDINGS, long_series, read_recordings, what_recordings_share
from fusearch.data.files.text import as_text
from fusearch.data.readers.named_files import read_recorded_files, spread
from fusearch.data.readers.reader import READERS, Reader, Rows, SheetKeys, Source, Taken
from fusearch.data.readers.table_file import need_column
from fusearch.errors import ManifestError

__all__ = ["SeriesKeys"]

#: Recordings that tell which signals all have.
_LOOKED_AT = 20


class SeriesKeys(SheetKeys):
    """Where the steps of a series stand in a table, or the files that it names."""

    channels: list[str] | None = Field(
        default=None, description="Columns of the table, or labels of the signals of a recording, that are the channels.", min_length=1
    )
    time: str | None = Field(
        default=None,
        description="Column of the time, of a table with a row for each step of a sample (long form): a number or a date that rises within "
        "a sample.",
    )
    length: int | None = Field(
        default=None,
        description="Steps of a sample in long form: longer ones are cut, shorter ones end in missing values. Left out: all have as many.",
        ge=1,
    )
    column: str | None = Field(
        default=None, description=f"Column of the table with the path of each sample's recording ({', '.join(RECORDINGS)})."
    )
    root: str = Field(default=".", description="Folder that those paths start from, relative to the manifest.")
    rate: float | None = Field(default=None, description="Samples a second that the signals of a recording are brought to.", gt=0)
    seconds: float | None = Field(default=None, description="Length of a recording: longer ones are cut, shorter ones end in gaps.", gt=0)

    def named(self) -> list[tuple[str, str]]:
        """Return what the keys name in the table; the channels of a recording are signals of its file."""
        return [each for each in super().named() if self.column is None or each[0] != "channels"]

    def marks(self) -> dict[str, str]:
        """Return the column of paths."""
        return {} if self.column is None else {self.column: "column of recordings"}

    def packages_of(self, file: Path) -> tuple[str, ...]:  # noqa: ARG002  # other kinds of files hang on it
        """Return the packages that read a recording."""
        return ("pyedflib", "scipy")

    @model_validator(mode="after")
    def _one_form(self) -> SeriesKeys:
        if self.file.lower().endswith(ARRAYS):
            return self
        if self.channels is not None and len(set(self.channels)) < len(self.channels):
            raise ValueError(f"channels is {self.channels}, expected each channel once")
        if (self.time is None) == (self.column is None):
            raise ValueError(f"the table {self.file!r} needs one of the keys 'time' (a row a step) and 'column' (a recording a row)")
        needed = ("channels",) if self.column is None else ("channels", "rate", "seconds")
        unused = ("rate", "seconds", "root") if self.column is None else ("length",)
        for key in needed:
            if getattr(self, key) is None:
                raise ValueError(f"the table {self.file!r} needs the key {key!r}")
        for key in set(unused) & self.model_fields_set:
            raise ValueError(f"{key!r} does not go with {'time' if self.column is None else 'column'!r}")
        return self


def _read(source: Source) -> Rows:
    keys = source.keys
    if not isinstance(keys, SeriesKeys) or keys.channels is None:  # the validator above refuses it; stated for the type checker
        raise ManifestError(f"{source.place('channels')}: missing key")
    if keys.time is not None:
        return _read_long(source, keys, keys.channels)
    read = partial(read_recordings, channels=keys.channels, rate=keys.rate or 0.0, seconds=keys.seconds or 0.0)
    return read_recorded_files(source, column=keys.column or "", root=keys.root, read=read)


def _read_long(source: Source, keys: SeriesKeys, channels: list[str]) -> Rows:
    if source.id is None:
        raise ManifestError(f"{source.place('time')}: a row for each step needs the key `id` of the manifest, which tells samples apart")
    frame = read_table(source.path, lambda names: {source.id or ""} & set(names), source.form)
    for key, columns in (("time", [keys.time or ""]), ("channels", channels)):
        for column in columns:
            need_column(frame, column, source.path, source.place(key))
    need_column(frame, source.id, source.path, source.place("file"))
    id_column, names = source.id, as_text(frame[source.id])
    ids = list(dict.fromkeys(name for name in names if name is not None))

    def take(rows: npt.NDArray[np.int64]) -> Taken:
        wanted = {None, *(ids[row] for row in rows)}  # rows of other samples decide nothing; one without an id is refused
        part = frame[[name in wanted for name in names]]
        found, values = long_series(part, source.path.name, sample=id_column, time=keys.time or "", channels=channels, length=keys.length)
        row_of = {name: row for row, name in enumerate(found)}
        notes: tuple[str, ...] = ()
        longest = int(part[id_column].value_counts().max()) if len(part) else 0
        if keys.length is not None and keys.length > 2 * longest:
            notes = (f"`length` is {keys.length}, and the longest sample has {longest} steps: the rest is filled with missing values",)
        return Taken(values[[row_of[ids[row]] for row in rows]], notes=notes)

    return Rows(ids, len(ids), take)


READERS.add(
    "series",
    Reader(
        "series",
        TABLES,
        "a table with a row for each step, or that names a recording a sample",
        _read,
        SeriesKeys,
        ("time", "channels", "column", "root", "rate", "seconds"),
        RECORDINGS,
        lambda files: what_recordings_share(spread(files, _LOOKED_AT)),
    ),
)
