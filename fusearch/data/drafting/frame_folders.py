"""Folders of numbered files that are one sample each, such as the frames of a film."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from fusearch.data.drafting.id_places import find_ids
from fusearch.data.readers import READERS

__all__ = ["gather_frames"]

#: Files that half of such folders hold at least: fewer may be views of a sample, each a modality.
_LEAST = 5


def gather_frames(folder: Path, paths: Sequence[Path], ids: frozenset[str]) -> list[Path]:
    """Return the paths with each folder of numbered files in place of these, where most ids name such a folder.

    A folder of a class or of a site holds numbered files too, but few of the ids name it.

    Args:
        folder: The folder that was looked into.
        paths: Files below it.
        ids: Ids of the samples.
    """
    ends = tuple({end for reader in READERS.values() for end in reader.inside})
    held: dict[Path, list[Path]] = {}
    for path in paths:
        if path.parent != folder and path.name.lower().endswith(ends):
            held.setdefault(path.parent, []).append(path)
    numbered = {parent.relative_to(folder).as_posix(): files for parent, files in held.items() if _are_numbered(files)}
    alike: dict[str, dict[str, str]] = {}
    for text, (name, pattern) in find_ids(numbered, ids).named.items():
        alike.setdefault(pattern, {})[name] = text
    films = [text for one in alike.values() if 2 * len(one) >= len(ids) for text in one.values()]
    if not films or median(len(numbered[text]) for text in films) < _LEAST:
        return list(paths)
    frames = {path for text in films for path in numbered[text]}
    return [path for path in paths if path not in frames] + [folder / text for text in films]


def _are_numbered(files: Sequence[Path]) -> bool:
    forms = {re.sub(r"[0-9]+", "#", path.stem) for path in files}
    return len(forms) == 1 and "#" in forms.pop()
