"""A reader: a format of files, bound by name to the kinds of modality that come in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from fusearch.data.assembly.arrays import shape_array
from fusearch.data.files.frames import TextFormat
from fusearch.data.files.ids import ids_of
from fusearch.data.files.workbooks import WORKBOOKS
from fusearch.data.kinds import Kind
from fusearch.data.symbol_schema import SymbolSchema
from fusearch.data.table_schema import TableSchema
from fusearch.errors import DataError, suggestion
from fusearch.registry import Registry

__all__ = ["READERS", "FileKeys", "Reader", "Rows", "SheetKeys", "Source", "Taken", "find_reader", "readers_of", "refuse_sheet"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


class FileKeys(BaseModel):
    """Keys that a modality has in the manifest; a reader adds its own in a subclass."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    #: Keys that hold text and name no column. Every other key with text does, also one that a reader adds.
    no_columns: ClassVar[frozenset[str]] = frozenset({"kind", "file", "root", "axes", "key", "alphabet", "sheet", "model", "pooling"})

    kind: str
    file: str

    def named(self) -> list[tuple[str, str]]:
        """Return what the keys name in the file, as (key, column)."""
        given = [(key, getattr(self, key)) for key in type(self).model_fields if key not in self.no_columns]
        lists = [(key, value if isinstance(value, list | tuple) else [value]) for key, value in given]
        return [(key, name) for key, names in lists for name in names if isinstance(name, str)]

    def packages_of(self, file: Path) -> tuple[str, ...]:  # noqa: ARG002  # other kinds of files hang on it
        """Return the packages, beside numpy and pandas, that read a file which the table names."""
        return ()

    def marks(self) -> Mapping[str, str]:
        """Return the columns of the file that are no measurements -> what they are."""
        return {}


def refuse_sheet(file: str, sheet: str | None) -> None:
    """Refuse a sheet of what is no workbook.

    Raises:
        ValueError: It is given.
    """
    if sheet is not None and not file.lower().endswith(WORKBOOKS):
        raise ValueError(f"'sheet' does not go with {file!r}, expected it beside an Excel workbook ({', '.join(WORKBOOKS)})")


class SheetKeys(FileKeys):
    """Which sheet of a workbook is the table."""

    sheet: str | None = Field(default=None, description="Sheet of an Excel workbook; left out, the only one that holds something.")

    @model_validator(mode="after")
    def _of_a_workbook(self) -> SheetKeys:
        refuse_sheet(self.file, self.sheet)
        return self


@dataclass(frozen=True)
class Source:
    """What a reader is given.

    Attributes:
        name: Name of the modality.
        kind: Its kind.
        keys: What the manifest says about it.
        path: The file.
        manifest: Path of the manifest.
        id: Name of the column, or array, of ids; None where rows join by position.
        reserved: Columns of the file that are no measurements -> what they are.
        form: How tables are written, and which sheet of a workbook is read.
    """

    name: str
    kind: Kind
    keys: FileKeys
    path: Path
    manifest: Path
    id: str | None = None
    reserved: Mapping[str, str] = field(default_factory=dict)
    form: TextFormat = field(default_factory=TextFormat)

    @property
    def called(self) -> str:
        """Name of the file, and of the sheet where one is named."""
        return self.form.name_of(self.path)

    def place(self, key: str) -> str:
        """Return where a key of the modality stands, for messages."""
        return f"{self.manifest.name}: modalities.{self.name}.{key}"


@dataclass(frozen=True)
class Taken:
    """Some rows of a file.

    Attributes:
        values: (n, ...) float32, NaN for a missing value.
        schema: The columns of a table.
        notes: What was assumed and may be wrong, in one line each; `check` warns of it.
        symbols: What the codes of a text or a sequence mean.
    """

    values: FloatArray
    schema: TableSchema | None = None
    notes: tuple[str, ...] = ()
    symbols: SymbolSchema | None = None


@dataclass(frozen=True)
class Rows:
    """What a file holds.

    Attributes:
        ids: Id of each row; None: rows are in the order of the labels.
        count: Number of rows.
        take: Gives some rows by number. It is called once, with the rows that samples have.
        columns: What else has one entry a row, by name: it may tell that the rows are not in the order of the labels.
    """

    ids: Sequence[str] | None
    count: int
    take: Callable[[IntArray], Taken]
    columns: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Source, values: npt.NDArray[Any], ids: Any = None) -> Rows:
        """Return the rows of an array of numbers, (N, ...), brought to the axes of the kind when they are taken; `ids` become text."""
        place = source.path.name
        texts = None if ids is None else ids_of(ids, "id", place)
        return cls(texts, len(values), lambda rows: Taken(shape_array(values, source.kind.name, place)[rows]))


@dataclass(frozen=True)
class Reader:
    """A format.

    Attributes:
        name: Name in `Kind.formats`.
        suffixes: How its files end.
        holds: What they hold, for the reference page of the manifest; `{axes}` is replaced by the axes of the kind.
        read: Reads a file. It raises `DataError` for what the file holds, `ManifestError` for what the manifest says.
        keys: Keys of the manifest that it takes.
        carried: Those of them that the program of a bundle reads files by.
        names: How the files end that a table of it names, one a sample.
        fit: Gives the keys of the manifest that such files need, beside `column` and `root`; None where it does not read them.
        inside: How the files end that stand in a folder of one sample, where it reads such folders.
        may_be: Whether a file that another reader takes for a sample may be one of this format instead, as arrays without names of axes.
    """

    name: str
    suffixes: tuple[str, ...]
    holds: str
    read: Callable[[Source], Rows]
    keys: type[FileKeys] = FileKeys
    carried: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    fit: Callable[[Sequence[Path]], dict[str, Any] | None] = lambda _files: {}
    inside: tuple[str, ...] = ()
    may_be: Callable[[Path], bool] = lambda _file: False

    def takes(self, path: Path) -> bool:
        """Return whether a file, or a folder by what lies in it, may be a sample that a table of this format names."""
        if path.is_dir():
            return any(each.name.lower().endswith(self.inside) for each in path.iterdir())
        return path.name.lower().endswith(self.names)


READERS: Registry[Reader] = Registry("reader")


def readers_of(kind: Kind) -> list[Reader]:
    """Return the readers of the formats of a kind.

    Raises:
        DataError: It names a format that nothing reads.
    """
    for name in kind.formats:
        if name not in READERS:
            raise DataError(f"kind {kind.name!r}: nothing reads its format {name!r}, {suggestion(name, READERS)}")
    return [READERS[name] for name in kind.formats]


def find_reader(kind: Kind, file: str) -> Reader:
    """Return the reader of a file: the format is told by the suffix, among the formats of the kind.

    Raises:
        ValueError: No format of the kind ends like that.
    """
    readers = readers_of(kind)
    for reader in readers:
        if file.lower().endswith(reader.suffixes):
            return reader
    legal = ", ".join(suffix for reader in readers for suffix in reader.suffixes)
    raise ValueError(f"{file!r}, expected a file that ends in one of: {legal}")
