"""Modalities of a first manifest: what each table, array and group of files becomes, and why."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from fusearch.data.drafting.array_labels import is_test_half
from fusearch.data.drafting.file_notes import numbered_files, rare_names, several_suffixes, unclear_names, unnamed_files, unread_files
from fusearch.data.drafting.found import FoundTable, Holdings
from fusearch.data.drafting.joined import Joined
from fusearch.data.drafting.linked_tables import edges_of, is_of_edges, node_column
from fusearch.data.drafting.named_by_id import group_by_id
from fusearch.data.drafting.roles import Roles, read_roles
from fusearch.data.drafting.telling import why_no_number
from fusearch.data.files.npz import names_in, read_array
from fusearch.data.files.series import long_series
from fusearch.data.kinds import KINDS, Kind, kind_of_array
from fusearch.data.readers import READERS
from fusearch.errors import DataError

__all__ = ["Drafts"]

_SEQUENCES = "Letters of one alphabet; free text would be `kind: text`."
_TEXTS = "Several words a cell; few texts that repeat would be `categorical` of a table."
_FORMATS = "Files of several formats: where one format goes with the target, a network may learn the format."
_BY_ORDER = "It holds no ids: its rows must be in the order of the labels."

#: Channels that an image in one array may have; more may be slices or frames.
_MOST_CHANNELS = 4

#: Columns that are named one by one, and the least number of columns that a pattern stands for.
_NAMED, _LEAST_OF_PATTERN = 12, 3


@dataclass
class Drafts:
    """The modalities of a first manifest, by name.

    Attributes:
        place: Folder of the manifest, which its paths are relative to.
        found: What the folder holds.
        joined: How its tables belong together.
        targets: Columns of the labels that say what is predicted.
        target: Id -> what each of them says, as text.
        modalities: Name -> keys of the manifest.
        comments: Name -> lines above it.
        split: Column of the labels that says who is trained on.
        groups: Columns of the labels of which rows of one value may belong together.
        missing: Texts that stand for a missing value.
        named: Files that a column of a table leads to.
        index: Name of a column of the table of files that has to be written -> id -> path from the folder.
        pictured: Name of a modality of files -> the files.
        notes: What was left out, and why.
    """

    place: Path
    found: Holdings
    joined: Joined
    targets: Sequence[str]
    target: Mapping[str, Sequence[str | None]]
    modalities: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: dict[str, list[str]] = field(default_factory=dict)
    split: str | None = None
    groups: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    named: set[Path] = field(default_factory=set)
    index: dict[str, Mapping[str, str]] = field(default_factory=dict)
    pictured: dict[str, Sequence[Path]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def relative(self, path: Path) -> str:
        """Return a path as the manifest writes it."""
        return Path(os.path.relpath(path, self.place)).as_posix()

    def add(self, name: str, format_: str, keys: Mapping[str, Any], comments: Iterable[str] = ()) -> str:
        """Add a modality of the kind that comes in a format, under a name of its own, which it returns."""
        kind = next(kind for kind in KINDS.values() if format_ in kind.formats)
        return self.add_kind(name, kind.name, keys, comments)

    def add_kind(self, name: str, kind: str, keys: Mapping[str, Any], comments: Iterable[str] = ()) -> str:
        """Add a modality of a kind, under a name of its own, which it returns."""
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or kind
        plain = plain if not plain[0].isdigit() else f"{kind}_{plain}"
        free = next(each for each in (plain, *(f"{plain}_{number}" for number in range(2, 1000))) if each not in self.modalities)
        self.modalities[free] = {"kind": kind, **keys}
        self.comments[free] = list(comments)
        return free

    def add_table(self, table: FoundTable, *, is_labels: bool) -> None:
        """Add what a table holds: of a row a sample its columns by their roles, of several a series in long form."""
        where = {"file": self.relative(table.path)} | ({} if table.sheet is None else {"sheet": table.sheet})
        id_name = self.joined.id
        if id_name is not None and not is_labels and table.distinct(id_name) is None:
            self._add_long(table, where)
            return
        ids = table.texts(id_name) if id_name is not None else [str(row) for row in range(len(table.frame))]
        apart = [name for name in (id_name, *(self.targets if is_labels else ())) if name is not None]
        nothing = [None] * len(self.targets)
        said = [self.target.get(each or "", nothing) for each in ids]
        roles = read_roles(table, apart=apart, targets=list(zip(*said, strict=True)), folder=self.found.folder)
        again = [column for column in table.columns if not is_labels and column in self.targets]
        for column in again:  # the target once more
            self._drop(roles, column, "it is named as the target")
        if is_labels:
            self.split, self.groups = roles.split, roles.groups
        elif roles.split is not None:
            self._drop(roles, roles.split, "it names a split, and stands in another table than the labels")
        self.missing |= roles.missing
        for column, alphabet in roles.sequences.items():
            self.add(
                column,
                "strings",
                {**where, "column": column, "alphabet": alphabet},
                [_SEQUENCES],
            )
        for column in roles.texts:
            self.add(
                column,
                "texts",
                {**where, "column": column},
                [_TEXTS],
            )
        for column, (reader, start) in roles.files.items():
            self._add_files(column, reader, {**where, "column": column, "root": self.relative(start)}, self._named(table, column, start))
        self._add_columns(table, where, roles, is_labels)

    @staticmethod
    def _drop(roles: Roles, column: str, why: str) -> None:
        for names in (roles.numbers, roles.levels, roles.texts):
            if column in names:
                names.remove(column)
        roles.sequences.pop(column, None)
        roles.files.pop(column, None)
        roles.left_out[column] = why

    def _add_columns(self, table: FoundTable, where: Mapping[str, Any], roles: Roles, is_labels: bool) -> None:
        if not roles.numbers and not roles.levels:
            self.notes += [f"{table.called}: {name!r} was left out: {why}" for name, why in list(roles.left_out.items())[:_NAMED]]
            return
        kept = [name for name in table.columns if name in {*roles.numbers, *roles.levels}]
        marked = {self.joined.id, *roles.texts, *roles.sequences, *roles.files, *((*self.targets, roles.split) if is_labels else ())}
        keys: dict[str, Any] = dict(where)
        if set(table.columns) - marked != set(kept):
            keys["columns"] = _patterns(kept, [name for name in table.columns if name not in kept])
        if roles.levels:
            keys["categorical"] = roles.levels
        comments = [f"Columns of numbers: {len(roles.numbers)}; of levels: {len(roles.levels)}."]
        comments += [f"Left out: {name!r}, {why}." for name, why in list(roles.left_out.items())[:_NAMED]]
        comments += [f"... and {len(roles.left_out) - _NAMED} more columns."] if len(roles.left_out) > _NAMED else []
        self.add(table.stem, "table", keys, comments)

    def _add_long(self, table: FoundTable, where: Mapping[str, Any]) -> None:
        """Add a table with several rows a sample: nodes, where another one has their edges, or steps, if a column rises within each."""
        id_name = self.joined.id or ""
        if is_of_edges(table) and any(node_column(other, table, id_name) for other in self.joined.others if other is not table):
            return
        numbers = [name for name in table.columns if name != id_name and table.frame[name].dtype.kind in "iufb"]
        linked = edges_of(table, self.joined.others, id_name)
        if linked is not None and self._add_graphs(table, where, numbers, *linked):
            return
        texts = [name for name in table.columns if name not in numbers and name != id_name]
        frame = table.frame.copy()
        frame[id_name] = table.texts(id_name)
        for time in (*numbers, *texts):
            channels = [name for name in numbers if name != time and name not in self.targets]
            if not channels:
                continue
            length = int(Counter(frame[id_name]).most_common(1)[0][1])
            try:
                long_series(frame, table.called, sample=id_name, time=time, channels=channels[:1], length=length)
            except DataError:
                continue
            even = len(set(Counter(frame[id_name]).values())) == 1
            dropped = self._no_channels(frame, id_name, channels)
            channels = [name for name in channels if name not in dropped]
            if not channels:
                break
            keys = {**where, "time": time, "channels": channels} | ({} if even else {"length": length})
            comments = [f"A row for each step: {time!r} rises within each sample."]
            comments += [] if even else ["Samples differ in length: `length` cuts longer ones, shorter ones end in missing values."]
            left = [name for name in texts if name != time]
            comments += [f"Left out: {name!r}, it holds no numbers." for name in left]
            self.add(table.stem, "series", keys, [*comments, *(f"Left out: {name!r}, {why}." for name, why in dropped.items())])
            return
        self.notes.append(f"{table.called}: several rows a sample, and no column that rises within each; expected one row, or a time")

    def _add_graphs(self, table: FoundTable, where: Mapping[str, Any], numbers: Sequence[str], edges: FoundTable, node: str) -> bool:
        id_name = self.joined.id or ""
        measured = [name for name in numbers if name != node and name not in self.targets]
        frame = table.frame.copy()
        frame[id_name] = table.texts(id_name)
        dropped = self._no_channels(frame, id_name, measured)
        features = [name for name in measured if name not in dropped]
        if not features:
            return False
        sheet = {} if edges.sheet is None else {"edges_sheet": edges.sheet}
        keys = {**where, "node": node, "edges": self.relative(edges.path), **sheet, "features": features}
        comments = [f"A row for each node: {edges.called} leads between those of {node!r}."]
        self.add(table.stem, "graphs", keys, [*comments, *(f"Left out: {name!r}, {why}." for name, why in dropped.items())])
        return True

    def _no_channels(self, frame: pd.DataFrame, id_name: str, channels: Sequence[str]) -> dict[str, str]:
        """Return the columns that have one value a sample, which is the target or says who the sample is -> why they are left out."""
        samples = frame.groupby(id_name, sort=False)
        said = [self.target.get(str(each), [None] * len(self.targets)) for each in samples.groups]
        found: dict[str, str] = {}
        for name in channels:
            if int(samples[name].nunique().max()) <= 1:
                why = why_no_number(name, samples[name].first(), list(zip(*said, strict=True)))
                found |= {} if why is None else {name: why.replace("row by row", "sample by sample").replace("rows", "samples")}
        return found

    def _named(self, table: FoundTable, column: str, start: Path) -> list[Path]:
        return [path for text in table.texts(column) if text is not None and (path := start / text.replace("\\", "/")).exists()]

    def _add_files(self, name: str, reader: str, keys: Mapping[str, Any], files: Sequence[Path]) -> None:
        self.named |= {file.resolve() for file in files}
        try:
            needed = READERS[reader].fit(files) or {}
        except DataError as error:
            needed = {}
            self.notes.append(f"{name}: {error}")
        comments = [f"{len(files)} {'folders' if files[0].is_dir() else 'files'}, named in {keys['column']!r}."]
        comments += [f"They differ: {', '.join(needed)} brings them together."] if "size" in needed or "channels" in needed else []
        comments += _other_kinds(reader, files[0])
        self.pictured[self.add(name, reader, {**keys, **needed}, comments)] = files

    def add_file_groups(self, index: str) -> None:
        """Add the files whose paths hold the ids; a table that names them is written beside the manifest."""
        named = self.named  # what a table names needs no other one, nor does what lies in a folder that it names
        singles = [path for path in self.found.singles if named.isdisjoint({path.resolve(), path.resolve().parent})]
        files = group_by_id(self.found.folder, singles, self.joined.ids)
        few = []
        for group in files.groups:
            if len(group.files) < min(len(self.joined.ids) / 2, _LEAST_OF_PATTERN):
                few.append(group)
                continue
            column = group.name
            while column in self.index or column == self.joined.id:
                column += "_"
            self.index[column] = group.files
            keys = {"file": index, "column": column, "root": self.relative(self.found.folder), **group.keys}
            marks = "`*` is the id" + (", `#` a number that differs, such as a date" if "#" in group.stem else "")
            what = "files" if any(group.suffixes) else "folders"
            comments = [f"{len(group.files)} {what} named by the id: {group.pattern} ({marks})."]
            comments += [_FORMATS] if len({suffix.lower().removesuffix(".gz") for suffix in group.suffixes}) > 1 else []
            comments += [f"Not looked into: {group.note}"] if group.note else []
            comments += _other_kinds(group.reader, self.found.folder / next(iter(group.files.values())))
            self.pictured[self.add(column, group.reader, keys, comments)] = [self.found.folder / file for file in group.files.values()]
        told = (unclear_names(files), rare_names(few), unnamed_files(files, self.joined.ids), unread_files(files))
        self.notes += [*several_suffixes(files), *numbered_files(files), *(note for note in told if note is not None)]

    def add_records(self) -> None:
        """Add files of all samples in formats of their own."""
        for path, reader in self.found.records:
            try:
                self.add(path.name.split(".")[0], reader, {"file": self.relative(path), **(READERS[reader].fit([path]) or {})})
            except DataError as error:
                self.notes.append(f"left out: {error}")

    def add_arrays(self, num_rows: int) -> None:
        """Add the arrays that have an entry a sample; those of one number a sample may be labels, and are left out."""
        for path in self.found.arrays:
            for key, shape, ids in _shapes(path, self.joined.id, self.notes):
                called = path.name if key is None else f"{path.name}: {key}"
                if len(shape) < 2:
                    continue
                if shape[0] != num_rows and ids is None:
                    if is_test_half(key):
                        continue
                    self.notes.append(f"{called}: {shape[0]} rows, and the labels have {num_rows}")
                    continue
                try:
                    kind = kind_of_array(len(shape), called).name
                except DataError as error:
                    self.notes.append(f"left out: {error}")
                    continue
                keys = {"file": self.relative(path)} | ({} if key is None else {"key": key})
                order = [] if ids is not None or self.joined.id is None else [_BY_ORDER]
                comments = [f"An array of {shape}.", *order, *_other_arrays(KINDS[kind], shape)]
                self.add_kind(key or path.name.split(".")[0], kind, keys, comments)


def _other_kinds(reader: str, file: Path) -> list[str]:
    """Say what else files of one sample each may be than what their reader takes them for: the axes of an array have no names."""

    def axes(kind: Kind) -> str:
        return ", ".join(letter for letter in kind.layouts[0].axes if letter != kind.layouts[0].channel)

    taken = next(kind for kind in KINDS.values() if reader in kind.formats)
    others = [kind for kind in KINDS.values() for name in kind.formats if name != reader and READERS[name].may_be(file)]
    return [f"Arrays, taken for {axes(taken)}; as {axes(kind)} they would be `kind: {kind.name}`." for kind in others]


def _other_arrays(taken: Kind, shape: tuple[int, ...]) -> list[str]:
    """Say what else one array of all samples may be, where these have positions on two axes or more."""
    own = taken.layouts[0]
    if len(own.positions) < 2:
        return []
    others = [kind for kind in KINDS.values() if kind is not taken and "array" in kind.formats]
    alike = [f"`kind: {kind.name}`" for kind in others if len(kind.layouts[0].axes) == len(own.axes)]
    deeper = [f"`kind: {kind.name}`" for kind in others if len(kind.layouts[0].axes) == 1 + len(own.axes)]
    comments = [f"Could also be {' or '.join(alike)}."] if alike else []
    if deeper and shape[1] > _MOST_CHANNELS:
        one = (shape[0], 1, *shape[1:])
        comments.append(f"{shape[1]} channels; slices or frames of one would be an array of {one} and {' or '.join(deeper)}.")
    return comments


def _patterns(kept: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return names, or patterns that stand for several of them and for no other column."""
    if len(kept) <= _NAMED:
        return list(kept)
    starts: dict[str, list[str]] = {}
    for name in kept:
        starts.setdefault(re.split(r"(?<=[_\W])|(?=\d)", name, maxsplit=1)[0] or name, []).append(name)
    found: list[str] = []
    for start, names in starts.items():
        safe = not any(letter in start for letter in "*?[") and not any(other.startswith(start) for other in others)
        whole = sum(name.startswith(start) for name in kept) == len(names)
        found += [f"{start}*"] if safe and whole and len(names) >= _LEAST_OF_PATTERN else names
    return found


def _shapes(path: Path, id_name: str | None, notes: list[str]) -> list[tuple[str | None, tuple[int, ...], Any]]:
    """Return name, shape and ids of each array of numbers in a file."""
    try:
        if path.suffix.lower() == ".npy":
            return [(None, read_array(path).values.shape, None)]
        found = [(name, read_array(path, name, id_name)) for name in names_in(path) if name != id_name]
        return [(name, each.values.shape, each.ids) for name, each in found if each.values.dtype.kind in "fiub"]
    except DataError as error:
        notes.append(f"left out: {error}")
        return []
