"""Masks as targets: the files that a column of the labels names, on the grid of one modality (decision 0099)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fusearch.data.assembly.arrays import RawModality
from fusearch.data.files.extents import one_spacing, refuse_other_extents
from fusearch.data.files.frames import read_table
from fusearch.data.files.masks import read_masks
from fusearch.data.files.stacking import named_file
from fusearch.data.files.text import as_text, where
from fusearch.data.kinds import KINDS
from fusearch.data.readers.named_files import NamedFileKeys
from fusearch.data.readers.table_file import read_ids
from fusearch.errors import DataError, ManifestError, suggestion
from fusearch.tasks import TASKS, Task
from fusearch.tasks.segmentation import Segmentation

if TYPE_CHECKING:
    import pandas as pd

    from fusearch.data.manifest.manifest import Manifest
    from fusearch.data.manifest.task_keys import TaskKeys

__all__ = ["encode_masks", "grid_modality", "is_dense", "masks_of_labels", "refuse_no_grid"]

_NO_GRID = "masks lie on the grid of an image or a volume, and there is none: a table alone has no grid"


def is_dense(kind: str | Mapping[str, str]) -> bool:
    """Whether there is one task, and its targets are masks."""
    return isinstance(kind, str) and kind in TASKS and TASKS[kind].dense


def encode_masks(
    masks: Any,
    name: str,
    *,
    place: str,
    labels: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    spacing: Sequence[float] = (),
    like: Task | None = None,
) -> tuple[npt.NDArray[np.uint8], Task]:
    """Turn masks in memory, (N, *grid), into targets, and say what is predicted.

    Args:
        masks: Whole numbers.
        name: Name of the target.
        place: Where they come from, for messages.
        labels: Names of the classes.
        spacing: Millimetres between positions along each axis of the grid; empty: not known.
        like: The task of another cohort, whose values, names and spacing count.

    Raises:
        DataError: They are no masks.
    """
    array = np.asarray(masks)
    if array.ndim not in (3, 4) or array.dtype.kind not in "iub" or 0 in array.shape:
        told = f"an array of {array.dtype} and shape {array.shape}"
        raise DataError(f"{place}: masks are {told}, expected whole numbers as (N, H, W) or (N, D, H, W)")
    if array.min() < 0 or array.max() > 255:
        raise DataError(f"{place}: masks hold values from {array.min()} to {array.max()}, expected 0 to 255")
    if isinstance(labels, Mapping):
        raise DataError(f"{place}: labels by name, with one task, expected a list")
    task, targets = Segmentation.of(array.astype(np.uint8), name, place=place, labels=labels, spacing=spacing, like=like)
    return targets, task


def masks_of_labels(
    manifest: Manifest, keys: TaskKeys, frame: pd.DataFrame, ids: Sequence[str], *, place: str, like: Task | None = None
) -> tuple[npt.NDArray[np.uint8], Task]:
    """Read the masks that the labels file names, brought to what the images of their modality are brought to.

    Args:
        manifest: The manifest.
        keys: Those of the task.
        frame: The labels file.
        ids: Id of each row, for messages.
        place: Name of the labels file, for messages.
        like: The task of another cohort, whose values and names of classes count.

    Raises:
        ManifestError: There is no such modality or folder.
        DataError: A row names no mask, or a mask cannot be read.
    """
    own = grid_modality(manifest, keys)
    column = keys.label_columns["column"]
    names = as_text(frame[column], manifest.label_form.missing)
    for row, name in enumerate(names):
        if name is None:
            raise DataError(
                f"{place}: column {column!r} is empty in {where(frame.index, row)} (id {ids[row]!r}), expected a mask in every row"
            )
    root = manifest.path.parent / str(getattr(keys, "root", "."))
    if not root.is_dir():
        raise ManifestError(f"{manifest.path.name}: task.root: no folder {str(getattr(keys, 'root', '.'))!r} beside the manifest")
    images = manifest.modalities[own]
    brought = {key: value for key in ("size", "spacing") if (value := getattr(images, key, None)) is not None}
    places = [f"{place}, {where(frame.index, row)}" for row in range(len(names))]
    try:
        files = [file for name in names if (file := named_file(root, name)) is not None]
        num_axes = len(KINDS[images.kind].layouts[0].positions)
        pictured = _image_files(manifest, own, ids)
        extents = refuse_other_extents(files, pictured or [None] * len(files), num_axes=num_axes, places=places)
        masks = read_masks(files, num_axes=num_axes, places=places, **brought)
    except DataError as error:
        raise DataError(*(f"task: {fault}" for fault in error.faults)) from None
    spacing = brought["spacing"] if "spacing" in brought else one_spacing(extents, brought.get("size"))
    return encode_masks(masks, column, place=place, labels=keys.class_names, spacing=spacing, like=like)


def _image_files(manifest: Manifest, name: str, ids: Sequence[str]) -> list[Path | None] | None:
    """Return the image of each row of the labels, None where it has none; None at all where no table names images that can be read."""
    keys = manifest.modalities[name]
    if not isinstance(keys, NamedFileKeys) or keys.column is None or keys.axes is not None:
        return None
    form, path = manifest.form_of(keys), manifest.path.parent / keys.file
    if not path.is_file():
        return None
    frame = read_table(path, lambda names: set(names), form)
    if keys.column not in frame or manifest.id not in (None, *frame):
        return None
    names = as_text(frame[keys.column], form.missing)
    if manifest.id is not None:
        named = dict(zip(read_ids(frame, manifest.id, path, path.name), names, strict=True))
        names = [named.get(each) for each in ids]
    root = manifest.path.parent / keys.root
    return [named_file(root, each) for each in names] if len(names) == len(ids) else None


def grid_modality(manifest: Manifest, keys: TaskKeys) -> str:
    """Return the modality on whose grid the masks lie: the one that is named, else the only or first image or volume.

    Raises:
        ManifestError: There is none.
    """
    fitting = [name for name, each in manifest.modalities.items() if KINDS[each.kind].has_masks]
    named = getattr(keys, "of", None)
    if named is not None and named not in fitting:
        what = f"no image or volume {named!r}, {suggestion(named, fitting)}" if fitting else _NO_GRID
        raise ManifestError(f"{manifest.path.name}: task.of: {what}")
    if not fitting:
        raise ManifestError(f"{manifest.path.name}: task: {_NO_GRID}")
    return fitting[0] if named is None else named


def refuse_no_grid(task: Task, modalities: Mapping[str, RawModality], place: str) -> None:
    """Refuse masks on whose grid no modality lies.

    Raises:
        DataError: They are such.
    """
    if not isinstance(task, Segmentation):
        return
    grids = {key: block.values.shape[2:] for key, block in modalities.items() if KINDS[block.kind].has_masks}
    if task.grid not in grids.values():
        told = ", ".join(f"{key} has {grid}" for key, grid in grids.items()) or "there is none"
        raise DataError(f"{place}: masks of the grid {task.grid}, expected that of an image or a volume ({told})")
