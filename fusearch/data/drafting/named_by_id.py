"""Files of one sample each whose paths hold the id: which files belong together, and which sample each is of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fusearch.data.readers import READERS
from fusearch.errors import DataError

__all__ = ["FileGroup", "group_by_id", "id_in"]

#: Words that BIDS writes before an id.
_BIDS = ("sub", "ses")

_PARTS = re.compile(r"([_\-. ])")


@dataclass(frozen=True)
class FileGroup:
    """Files of one modality.

    Attributes:
        pattern: Their path with `*` in place of the id.
        files: Id -> path from the folder.
        reader: Name of the reader of a table that names them.
        keys: Keys of the manifest that they need.
        note: What could not be found out about them.
    """

    pattern: str
    files: Mapping[str, str]
    reader: str
    keys: Mapping[str, object]
    note: str = ""

    @property
    def name(self) -> str:
        """What a modality of them may be called: what stands in the pattern beside the id, the file's own words first."""
        *folders, file = self.pattern.split("/")
        words = [
            word for word in re.split(r"[^A-Za-z0-9]+", file.split(".")[0]) if word and not word.isdigit() and word.lower() not in _BIDS
        ]
        outer = [word for folder in reversed(folders) for word in re.split(r"[^A-Za-z0-9]+", folder) if word]
        return "_".join(words) or (outer[0] if outer else self.reader)


def group_by_id(folder: Path, paths: Sequence[Path], ids: Iterable[str]) -> tuple[list[FileGroup], list[Path]]:
    """Return the files whose paths hold an id, by pattern, and those that hold none.

    Args:
        folder: The folder that was looked into.
        paths: Files, or folders of slices, below it.
        ids: Ids of the samples.
    """
    known = frozenset(ids)
    groups: dict[str, dict[str, str]] = {}
    unnamed = []
    for path in paths:
        relative = path.relative_to(folder).as_posix()
        suffix = "".join(path.suffixes[-2:]) if path.name.lower().endswith(".gz") else path.suffix
        found = id_in(relative.removesuffix(suffix), known)
        if found is None:
            unnamed.append(path)
            continue
        pattern = re.sub(rf"(?<![A-Za-z0-9]){re.escape(found)}(?![A-Za-z0-9])", "*", relative.removesuffix(suffix)) + suffix
        groups.setdefault(pattern, {}).setdefault(found, relative)
    made = []
    for pattern, files in groups.items():
        there = [folder / file for file in files.values()]
        for reader in READERS.values():
            if not reader.names or not (pattern.lower().endswith(reader.names) or (there[0].is_dir() and ".nii" in reader.names)):
                continue
            keys, note = None, ""
            try:
                keys = reader.fit(there)
            except DataError as error:
                keys, note = {}, str(error)
            if keys is not None:
                made.append(FileGroup(pattern, files, reader.name, keys, note))
                break
    return made, unnamed


def id_in(path: str, ids: frozenset[str]) -> str | None:
    """Return the id that stands in a path between marks, the longest of the last part that has one."""
    for part in reversed(path.split("/")):
        best = max((run for run in _runs(part) if run in ids), key=len, default=None)
        if best is not None:
            return best
    return None


def _runs(part: str) -> Iterator[str]:
    """Give what stands between marks (`sub-01_T1w`: sub-01_T1w, sub-01, sub, 01_T1w, ...)."""
    words = _PARTS.split(part)
    for first in range(0, len(words), 2):
        for last in range(first, min(len(words), first + 12), 2):
            yield "".join(words[first : last + 1])
