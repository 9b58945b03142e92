"""Files of one sample each whose paths hold the id: which files belong together, and which sample each is of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fusearch.data.drafting.frame_folders import find_series, gather_frames
from fusearch.data.drafting.id_places import find_ids, runs_in
from fusearch.data.readers import READERS
from fusearch.errors import DataError

__all__ = ["FileGroup", "NamedFiles", "group_by_id", "id_in", "suffix_of"]

#: Words that BIDS writes before an id.
_BIDS = ("sub", "ses")

#: A date, a time, another long number, or a short one that stands alone (`_2`, not `T2`): it may differ from file to file of one modality.
_NUMBER = re.compile(r"(?:\d{2}[-_.]){2}\d{4}|\d{4,}(?:[-_.T]?\d{2,})*|(?<![A-Za-z0-9])\d+(?![A-Za-z0-9])")


@dataclass(frozen=True)
class FileGroup:
    """Files of one modality.

    Attributes:
        stem: Their path with `*` in place of the id, and `#` of a number that is another one in each, such as a date, without suffix.
        suffixes: How they end; several where each sample has one file at most.
        files: Id -> path from the folder.
        reader: Name of the reader of a table that names them.
        keys: Keys of the manifest that they need.
        note: What could not be found out about them.
    """

    stem: str
    suffixes: tuple[str, ...]
    files: Mapping[str, str]
    reader: str
    keys: Mapping[str, object]
    note: str = ""

    @property
    def pattern(self) -> str:
        """Their path with `*` in place of the id, and the suffixes."""
        return self.stem + ", ".join(self.suffixes)

    @property
    def name(self) -> str:
        """What a modality of them may be called: what stands in the pattern beside the id, the file's own words first."""
        *folders, file = self.stem.split("/")
        words = [
            word for word in re.split(r"[^A-Za-z0-9]+", file.split(".")[0]) if word and not word.isdigit() and word.lower() not in _BIDS
        ]
        outer = [word for folder in reversed(folders) for word in re.split(r"[^A-Za-z0-9]+", folder) if word]
        return "_".join(words) or (outer[0] if outer else self.reader)


@dataclass(frozen=True)
class NamedFiles:
    """Files, by what their names tell.

    Attributes:
        groups: Those whose paths hold an id, by modality.
        unnamed: Those that hold none.
        unclear: Those that fit several ids -> these.
        unread: Those that hold one, and that no reader reads.
        series: Those that are numbered within each sample, by their path with `*` and `#`.
    """

    groups: list[FileGroup]
    unnamed: list[Path]
    unclear: dict[Path, list[str]]
    unread: list[Path]
    series: dict[str, list[Path]] = field(default_factory=dict)


def group_by_id(folder: Path, paths: Sequence[Path], ids: Iterable[str]) -> NamedFiles:
    """Return the files whose paths hold an id, by what stands beside it, and the others.

    Files that one reader reads and that differ in the suffix alone, or in a number, are one modality where each sample has one at most.
    Where samples have many that differ in a number alone, these are no modalities, and none is made of them.

    Args:
        folder: The folder that was looked into.
        paths: Files, or folders of slices, below it; a folder of frames is found by itself.
        ids: Ids of the samples.
    """
    known = frozenset(ids)
    paths = gather_frames(folder, paths, known)
    ends = {path: suffix_of(path) for path in paths}
    stems = {path: path.relative_to(folder).as_posix().removesuffix(end) for path, end in ends.items()}
    places = find_ids(dict.fromkeys(stems.values()), known)
    by_suffix: dict[str, dict[str, dict[str, Path]]] = {}
    series = find_series({path: (ends[path], *places.named[stem]) for path, stem in stems.items() if stem in places.named})
    numbered = frozenset(path for files in series.values() for path in files)
    shared = _without_numbers([places.named[stem] for path, stem in stems.items() if stem in places.named and path not in numbered])
    for path, stem in stems.items():
        if stem in places.named and path not in numbered:
            found, pattern = places.named[stem]
            pattern = shared.get(pattern, pattern)
            by_suffix.setdefault(pattern, {}).setdefault(ends[path], {}).setdefault(found, path)
    groups = [group for stem, suffixes in by_suffix.items() for group in _groups(folder, stem, suffixes)]
    unnamed, unclear = frozenset(places.unnamed), places.unclear
    read = {folder / file for group in groups for file in group.files.values()}
    return NamedFiles(
        groups,
        [path for path, stem in stems.items() if stem in unnamed],
        {path: unclear[stem] for path, stem in stems.items() if stem in unclear},
        [path for path, stem in stems.items() if stem in places.named and path not in read | numbered],
        series,
    )


def id_in(path: str, ids: frozenset[str]) -> str | None:
    """Return the id that stands in a path between marks, the longest of the last part that has one."""
    for part in reversed(path.split("/")):
        best = max((run for run in runs_in(part) if run in ids), key=len, default=None)
        if best is not None:
            return best
    return None


def suffix_of(path: Path) -> str:
    """Return how a file ends, `.nii.gz` whole; nothing of a folder."""
    if path.is_dir():
        return ""
    return "".join(path.suffixes[-2:]) if path.name.lower().endswith(".gz") else path.suffix


def _without_numbers(named: Collection[tuple[str, str]]) -> dict[str, str]:
    """Return patterns with `#` for their numbers, by the pattern: of those that differ there alone and name each id once together.

    Args:
        named: Id and pattern of each file, its suffix left out.
    """
    alike: dict[str, list[tuple[str, str]]] = {}
    for found, pattern in dict.fromkeys(named):
        alike.setdefault(_NUMBER.sub("#", pattern), []).append((found, pattern))
    once = {whole: pairs for whole, pairs in alike.items() if len({found for found, _ in pairs}) == len(pairs)}
    return {pattern: whole for whole, pairs in once.items() if len({each for _, each in pairs}) > 1 for _, pattern in pairs}


def _groups(folder: Path, stem: str, suffixes: Mapping[str, Mapping[str, Path]]) -> list[FileGroup]:
    """Return the modalities among files that differ in the suffix and the id."""
    apart: dict[str, list[FileGroup]] = {}
    for suffix, paths in suffixes.items():
        group = _group(folder, stem, suffix, paths)
        if group is not None:
            apart.setdefault(group.reader, []).append(group)
    return [group for parts in apart.values() for group in _together(folder, parts)]


def _group(folder: Path, stem: str, suffix: str, paths: Mapping[str, Path]) -> FileGroup | None:
    """Return files of one suffix as a modality; None where no reader reads them."""
    for reader in READERS.values():
        if reader.takes(next(iter(paths.values()))):
            keys, note = _fit(reader.name, list(paths.values()))
            if keys is not None:
                files = {name: path.relative_to(folder).as_posix() for name, path in paths.items()}
                return FileGroup(stem, (suffix,), files, reader.name, keys, note)
    return None


def _together(folder: Path, parts: list[FileGroup]) -> list[FileGroup]:
    """Make one modality of parts of one reader; not where a sample is in two, or the reader takes each part alone (other signals)."""
    files = {name: file for part in parts for name, file in part.files.items()}
    if len(parts) == 1 or len(files) < sum(len(part.files) for part in parts):
        return parts
    keys, note = _fit(parts[0].reader, [folder / file for file in files.values()])
    if keys is None or (note and not any(part.note for part in parts)):
        return parts
    return [FileGroup(parts[0].stem, tuple(suffix for part in parts for suffix in part.suffixes), files, parts[0].reader, keys, note)]


def _fit(reader: str, files: Sequence[Path]) -> tuple[dict[str, Any] | None, str]:
    """Return the keys that files need, None where the reader does not read them, and what is wrong with them."""
    try:
        return READERS[reader].fit(files), ""
    except DataError as error:
        return {}, str(error)
