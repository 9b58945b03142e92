"""Numbered files that are one sample together, such as the frames of a film: in a folder of its own, or beside those of others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from fusearch.data.drafting.id_places import find_ids
from fusearch.data.readers import READERS

__all__ = ["find_series", "gather_frames"]

#: Files that half of the samples have at least: fewer may be views of a sample, each a modality.
_LEAST = 5


def gather_frames(folder: Path, paths: Sequence[Path], ids: frozenset[str]) -> list[Path]:
    """Return the paths with each folder of numbered files in place of these, where most ids name such a folder.

    A folder of a class or of a site holds numbered files too, but few of the ids name it.

    Args:
        folder: The folder that was looked into.
        paths: Files below it.
        ids: Ids of the samples.
    """
    ends = _ends()
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
    """Whether files differ in numbers alone, and not in that of a word that many share: `T1_0`, `T1_1`, ..., `T2_0` are two series."""
    forms = {re.sub(r"[0-9]+", "#", path.stem) for path in files}
    if len(forms) > 1 or "#" not in min(forms):
        return False
    of_words = zip(*(re.findall(r"[A-Za-z]([0-9]+)", path.stem) for path in files), strict=True)
    return not any(1 < len(set(numbers)) <= len(files) / 2 for numbers in of_words)


def find_series(paths: Mapping[Path, tuple[str, str, str]]) -> dict[str, list[Path]]:
    """Return files of one folder that are numbered within each sample (`p1_0.png`, `p1_1.png`, ...), by their path with `#` for the number.

    They would be one sample in a folder of its own; as they lie, nothing but their names says so.

    Args:
        paths: Path -> its suffix, its id, and its path with `*` in place of that, without suffix.
    """
    alike: dict[str, dict[str, list[Path]]] = {}
    for path, (end, name, pattern) in paths.items():
        place, mark, file = pattern.rpartition("/")
        for number in re.finditer(r"[0-9]+", file) if end.lower().endswith(_ends()) else ():
            common = f"{place}{mark}{file[: number.start()]}#{file[number.end() :]}{end}"
            alike.setdefault(common, {}).setdefault(name, []).append(path)
    many = {common: of for common, of in alike.items() if median(map(len, of.values())) >= _LEAST}
    found: dict[str, list[Path]] = {}
    taken: set[Path] = set()
    for common, of in sorted(many.items(), key=lambda item: -sum(map(len, item[1].values()))):
        files = [path for each in of.values() for path in each if path not in taken]
        taken.update(files)
        found |= {common: files} if files else {}
    return found


def _ends() -> tuple[str, ...]:
    """Return how the files end that stand in a folder of one sample."""
    return tuple({end for reader in READERS.values() for end in reader.inside})
