"""What lies in a folder: tables, arrays of all samples, files of one sample each. Nothing is decided here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from fusearch.data.drafting.telling import ID_NAME
from fusearch.data.files.frames import TABLES, read_table
from fusearch.data.files.frames import TextFormat as Form
from fusearch.data.files.linked_nodes import is_graph
from fusearch.data.files.npz import ARRAYS, names_in
from fusearch.data.files.text import as_text
from fusearch.data.files.workbooks import WORKBOOKS, sheets_of
from fusearch.data.readers import READERS
from fusearch.errors import DataError

__all__ = ["FoundTable", "Holdings", "look_into"]

#: So many tables in one folder are one table a sample, which no reader joins.
_MANY_TABLES = 40

#: What is said of graphs as JSON, and the size up to which a file is looked into.
_GRAPHS, _MOST_JSON = "; a graph is read from an NPZ file of `features` and `edges`, one a sample", 2**20

#: Whole numbers are read as text too, since `007` may be an id: of a table this wide at most all columns, else so many of the first.
_FEW_COLUMNS, _FIRST = 200, 5


@dataclass(frozen=True)
class FoundTable:
    """A table, or a sheet of a workbook.

    Attributes:
        path: The file.
        sheet: The sheet, where the workbook has several.
        frame: What stands in it; whole numbers that may be ids are text as they stand.
    """

    path: Path
    sheet: str | None
    frame: pd.DataFrame

    @property
    def called(self) -> str:
        """Its name for messages."""
        return self.path.name if self.sheet is None else f"{self.path.name} ({self.sheet})"

    @property
    def stem(self) -> str:
        """What a modality of it may be called."""
        return self.sheet or self.path.name.split(".")[0]

    @cached_property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return [str(name) for name in self.frame.columns]

    def texts(self, column: str) -> list[str | None]:
        """Return a column as text."""
        return as_text(self.frame[column])

    def distinct(self, column: str) -> list[str] | None:
        """Return a column as ids would be read; None where a cell is empty or stands there twice."""
        texts = [text for text in self.texts(column) if text is not None]
        return texts if len(texts) == len(self.frame) == len(set(texts)) else None


@dataclass
class Holdings:
    """What a folder holds.

    Attributes:
        folder: The folder.
        tables: Its tables, those that could be read.
        arrays: NPY and NPZ files.
        singles: Files of one sample each, by what they are: paths of files, and of folders of DICOM slices.
        records: Files of all samples in a format of their own, such as FASTA: the file, and the name of its reader.
        notes: What was left out, and why.
    """

    folder: Path
    tables: list[FoundTable] = field(default_factory=list)
    arrays: list[Path] = field(default_factory=list)
    singles: list[Path] = field(default_factory=list)
    records: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def look_into(folder: Path, without: Iterable[Path] = ()) -> Holdings:
    """Return what lies in a folder and below it; hidden files and those of `without` are not looked at.

    Raises:
        DataError: There is no such folder, or nothing in it that a reader reads.
    """
    if not folder.is_dir():
        raise DataError(f"no folder {str(folder)!r}, expected one with the tables and files of a study")
    skipped = {path.resolve() for path in without}
    found = Holdings(folder)
    singles = tuple(suffix for reader in READERS.values() for suffix in reader.names)
    others: Counter[str] = Counter()
    graphs = False
    tables: list[Path] = []
    for path in sorted(folder.rglob("*")):
        name = path.name.lower()
        if any(part.startswith(".") for part in path.relative_to(folder).parts) or not path.is_file() or path.resolve() in skipped:
            continue
        whole = [reader.name for reader in READERS.values() if name.endswith(tuple(set(reader.suffixes) - set(TABLES) - set(ARRAYS)))]
        if name.endswith(TABLES):
            tables.append(path)
        elif whole:
            found.records.append((path, whole[0]))
        elif name.endswith(ARRAYS):
            found.arrays.append(path)
        elif name.endswith(singles):
            found.singles.append(path)
        elif name.split(".")[0] not in ("readme", "license") and path.suffix.lower() not in (".yaml", ".yml", ".md"):
            others[path.suffix or path.name] += 1
            graphs = graphs or (path.suffix == ".json" and others[".json"] == 1 and _is_graph(path))  # the first one tells
    _gather_single_arrays(found)
    _gather_graphs(found)
    _gather_slices(found)
    crowded = {parent for parent, count in Counter(path.parent for path in tables).items() if count > _MANY_TABLES}
    for parent in sorted(crowded):
        what = f"{parent.relative_to(folder) if parent != folder else folder.name}: more than {_MANY_TABLES} tables"
        found.notes.append(f"{what}; a table a sample is not read, expected one table with a row for each step (id, time, channels)")
    for path in tables:
        if path.parent not in crowded:
            found.tables += _tables_of(path, found.notes)
    if others:
        told = ", ".join(f"{count} {suffix}" for suffix, count in others.most_common(5))
        found.notes.append(f"files that no reader reads were left out: {told}" + (_GRAPHS if graphs else ""))
    if not (found.tables or found.arrays or found.singles or found.records):
        raise DataError(f"{str(folder)!r} holds no file that can be read" + (f" ({'; '.join(found.notes)})" if found.notes else ""))
    return found


def _gather_single_arrays(found: Holdings) -> None:
    """Take the NPY files of a folder with several of them for one a sample."""
    crowds = Counter(path.parent for path in found.arrays if path.suffix.lower() == ".npy")
    single = [path for path in found.arrays if path.suffix.lower() == ".npy" and crowds[path.parent] > 10]
    found.arrays = [path for path in found.arrays if path not in set(single)]
    found.singles += single


def _gather_graphs(found: Holdings) -> None:
    """Take NPZ files of a folder with several of them that hold nodes and edges for one a sample."""
    files = [path for path in found.arrays if path.suffix.lower() == ".npz"]
    crowds = Counter(path.parent for path in files)
    graphs = {path for path in files if crowds[path.parent] > 1 and is_graph(names_in(path))}
    found.arrays = [path for path in found.arrays if path not in graphs]
    found.singles += sorted(graphs)


def _is_graph(path: Path) -> bool:
    """Whether a JSON file holds nodes and edges, as networkx and others write them."""
    try:
        held = json.loads(path.read_bytes()) if path.stat().st_size <= _MOST_JSON else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(held, dict) and "nodes" in held and not {"edges", "links"}.isdisjoint(held)


def _gather_slices(found: Holdings) -> None:
    """Take a folder of several DICOM files alone for one volume."""
    slices = [path for path in found.singles if path.suffix.lower() == ".dcm"]
    folders = Counter(path.parent for path in slices)
    series = {parent for parent, count in folders.items() if count > 1 and parent != found.folder}
    if len(series) > 1 and len(series) > len({parent.parent for parent in series}):  # several such folders side by side
        found.singles = [path for path in found.singles if path.parent not in series] + sorted(series)


def _tables_of(path: Path, notes: list[str]) -> list[FoundTable]:
    try:
        sheets: Sequence[str | None] = sheets_of(path) if path.name.lower().endswith(WORKBOOKS) else [None]
    except DataError as error:
        notes.append(f"left out: {error}")
        return []
    tables = []
    for sheet in sheets:
        try:
            tables.append(FoundTable(path, sheet if len(sheets) > 1 else None, _frame(path, Form(sheet=sheet, decimal="."))))
        except DataError as error:
            if "holds nothing" not in str(error):
                notes.append(f"left out: {error}")
    return tables


def _whole(frame: pd.DataFrame) -> pd.DataFrame:
    """Make whole numbers of whole numbers: rows that hold nothing, which are left out, made others of them."""
    whole = [name for name, cells in frame.items() if cells.dtype.kind == "f" and cells.notna().all() and (cells % 1 == 0).all()]
    return frame.astype(dict.fromkeys(whole, "int64"))


def _frame(path: Path, form: Form) -> pd.DataFrame:
    frame = _whole(read_table(path, lambda _names: (), form))
    whole = [str(name) for name, cells in frame.items() if cells.dtype.kind in "iu"]
    few = len(frame.columns) <= _FEW_COLUMNS
    as_they_stand = {name for number, name in enumerate(whole) if few or number < _FIRST or ID_NAME.search(name)}
    if not as_they_stand:
        return frame
    texts = read_table(path, lambda names: as_they_stand & set(names), form)
    zeros = [name for name in as_they_stand if any(str(cell).startswith("0") and len(str(cell)) > 1 for cell in texts[name])]
    return frame.assign(**{name: texts[name] for name in zeros})
