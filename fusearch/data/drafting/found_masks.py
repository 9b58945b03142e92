"""Masks as the target of a first manifest: a folder of them, named by the ids of the samples, or a column that leads to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fusearch.data.drafting.found import FoundTable, Holdings
from fusearch.data.drafting.joined import share_of_ids
from fusearch.data.drafting.named_by_id import group_by_id, id_in, suffix_of
from fusearch.data.drafting.roles import leads_to
from fusearch.data.files.extents import extent_of
from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS
from fusearch.errors import DataError

__all__ = ["FoundMasks", "grid_of", "masks_in_column", "masks_in_folder"]

#: Share of the other files, or of the ids of a table, that the names of masks must tell.
_TOLD = 0.5

#: What parts of a name stand between.
_MARKS = "_-. "

_WHY = "a class at each position; `labels: [background, ...]` names the classes, in the order of their values"


@dataclass(frozen=True)
class FoundMasks:
    """Masks, one a sample.

    Attributes:
        labels: The table that says which mask is whose; of a folder it is not written yet.
        column: Its column of paths.
        root: Folder that these start from.
        paths: The masks.
        files: Id -> path from the folder that was looked into; empty where a table names the masks.
    """

    labels: FoundTable
    column: str
    root: Path
    paths: tuple[Path, ...]
    files: Mapping[str, str]

    @property
    def why(self) -> list[str]:
        """Comments on the task."""
        return [f"segmentation: {len(self.paths)} masks, {_WHY}."]


def masks_in_folder(found: Holdings, targets: Sequence[str], index: Path) -> FoundMasks | None:
    """Return the masks of the folder that the one target names; None where it names none. They are no images any more.

    Args:
        found: What lies in the folder; the masks are taken out of it.
        targets: What is to be predicted.
        index: The table that will name them.

    Raises:
        DataError: It holds no masks, or their names do not say whose they are.
    """
    folder = _folder(found.folder, targets)
    if folder is None:
        return None
    told = folder.relative_to(found.folder).as_posix()
    inside = [path for path in found.singles if folder in path.parents]
    suffixes = tuple(sorted({suffix for name in _readers() for suffix in READERS[name].names}))
    masks = [path for path in inside if path.is_dir() or path.name.lower().endswith(suffixes)]
    if not masks:
        raise DataError(f"folder {told!r} holds no masks, expected a picture or a volume of each sample ({', '.join(suffixes)})")
    others = [path for path in found.singles if path not in set(inside)]
    whose, named = _ids(masks, others, found)
    if whose is None:
        images = [path for path in others if path.is_dir() or path.name.lower().endswith(suffixes)]
        other = f"and images as {images[0].name!r}" if images else "and there are no images"
        raise DataError(f"masks are named as {masks[0].name!r}, {other}: no id stands in both; expected `ID.png` or `ID_mask.png` for each")
    twice = next((name for name in whose if whose.count(name) > 1), None)
    if twice is not None:
        pair = " and ".join(repr(path.name) for path, name in zip(masks, whose, strict=True) if name == twice)
        raise DataError(f"{told}: several masks of {twice!r} ({pair}); expected one a sample, with a value for each class")
    found.singles = others
    files = {name: path.relative_to(found.folder).as_posix() for name, path in sorted(zip(whose, masks, strict=True))}
    column = "mask" if named != "mask" else "mask_file"
    frame = pd.DataFrame({named: list(files), column: list(files.values())})
    return FoundMasks(FoundTable(index, None, frame), column, found.folder, tuple(masks), files)


def masks_in_column(labels: FoundTable, targets: Sequence[str], folder: Path) -> FoundMasks | None:
    """Return the masks that the one target, a column of the labels, leads to; None where it leads nowhere."""
    texts = [text for name in targets for text in labels.texts(name) if text is not None]
    found = leads_to(texts, labels.path.parent, folder) if len(targets) == 1 and texts else None
    if found is None or found[0] not in _readers():
        return None
    paths = [path for text in texts if (path := found[1] / text.replace("\\", "/")).exists()]
    return FoundMasks(labels, targets[0], found[1], tuple(paths), {})


def grid_of(masks: FoundMasks, modalities: Mapping[str, Mapping[str, Any]], pictured: Mapping[str, Sequence[Path]]) -> str | None:
    """Return the modality on whose grid the masks lie, if it must be named: the first image or volume is taken where none is.

    Args:
        masks: The masks.
        modalities: Name -> keys of the manifest.
        pictured: Name -> files of the samples.
    """
    fitting = [name for name, keys in modalities.items() if KINDS[str(keys["kind"])].has_masks]
    for name in fitting:
        axes = len(KINDS[str(modalities[name]["kind"])].layouts[0].positions)
        mask = extent_of(masks.paths[0], axes)
        images = [extent_of(path, axes) for path in pictured.get(name, ())[:50]]
        if mask is not None and any(image is not None and mask.matches(image) for image in images):
            return name if name != fitting[0] else None
    return None


def _readers() -> list[str]:
    """Return the readers of what masks may be: pictures and volumes, one file a sample."""
    formats = {name for kind in KINDS.values() if kind.has_masks for name in kind.formats}
    return [reader.name for reader in READERS.values() if reader.names and reader.name in formats]


def _folder(folder: Path, targets: Sequence[str]) -> Path | None:
    if len(targets) != 1:
        return None
    for path in (folder / targets[0], Path(targets[0])):
        inside = Path(os.path.relpath(path, folder))
        if path.is_dir() and ".." not in inside.parts and inside.parts:
            return folder / inside
    return None


def _ids(masks: Sequence[Path], others: Sequence[Path], found: Holdings) -> tuple[list[str] | None, str]:
    """Return the id of each mask and the name of the column of ids: those that stand in a table, else in the names of the images."""
    stems, known = [_stem(path) for path in masks], frozenset(map(_stem, others))
    end, start = _shared(stems, lambda text: text[::-1]), _shared(stems, lambda text: text)
    ways = [stems, [text.removesuffix(end) for text in stems], [text.removeprefix(start) for text in stems]]
    ways += [[text.removeprefix(start) for text in ways[1]], [id_in(text, known) or text for text in stems]]
    for ids in ways:
        columns = [(table, name) for table in found.tables for name in table.columns if table.frame[name].dtype.kind != "f"]
        best = max(columns, key=lambda each: share_of_ids(ids, *each), default=None)
        if best is not None and share_of_ids(ids, *best) >= _TOLD:
            return ids, best[1]
        if others:
            files = group_by_id(found.folder, others[:200], ids)
            if len(files.unnamed) + len(files.unclear) <= (1 - _TOLD) * len(others[:200]):
                return ids, "id"
    return None, "id"


def _stem(path: Path) -> str:
    return path.name.removesuffix(suffix_of(path))


def _shared(names: Sequence[str], turned: Callable[[str], str]) -> str:
    """Return what all names begin with (turned round: end with), up to a mark; nothing where it would leave a name empty."""
    first, *_, last = sorted(turned(name) for name in (*names, names[0]))
    common = first[: next((place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))]
    cut = max((place for place, letter in enumerate(common) if letter in _MARKS), default=-1) + 1
    return turned(common[:cut]) if len(names) > 1 and min(map(len, names)) > cut else ""
