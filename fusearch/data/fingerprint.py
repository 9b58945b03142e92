"""The fingerprint of a data set: a hash of its content, the same on every machine."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.assembly.arrays import row_blocks
from fusearch.data.content import Content
from fusearch.tasks import SeveralTasks

__all__ = ["fingerprint"]


def fingerprint(data: Content) -> str:
    """Return 16 hex digits over arrays, columns, targets, ids, groups, splits, in the order of the rows, and given weights; no names."""
    digest = hashlib.sha256()

    def add(what: str, value: object) -> None:
        digest.update(f"{what}\0{value}\0".encode())

    def add_array(what: str, array: npt.NDArray[Any]) -> None:
        if array.dtype.kind == "U":
            add(what, "\0".join(array.tolist()))
            return
        add(what, (array.shape, array.dtype.kind))
        for rows in row_blocks(array):
            part = array[rows]
            if part.dtype.kind == "f":
                part = np.where(np.isnan(part), np.array(np.nan, part.dtype), part)  # one bit pattern for every missing value
            digest.update(np.ascontiguousarray(part.astype(part.dtype.newbyteorder("<"))).tobytes())

    several = data.task.parts if isinstance(data.task, SeveralTasks) else ()
    for task in (data.task, *(part.task for part in several)):
        add("task", (task.kind, task.name, task.labels))
    for modality in data.modalities:
        add("modality", (modality.name, modality.kind, modality.shape))
        schema = data.columns.get(modality.name)
        if schema is not None:
            add("columns", (schema.numeric, list(schema.categorical.items())))
        symbols = data.symbols.get(modality.name)
        if symbols is not None:
            add("symbols", (symbols.names, symbols.vocabulary))
        add_array("raw", data.raw[modality.name])
        add_array("present", data.present[modality.name])
    add_array("ids", data.ids)
    add_array("targets", data.targets)
    add_array("split_of", data.split_of)
    if data.groups is not None:
        add_array("groups", data.groups)
    add("num_folds", data.num_folds)
    if data.fold_seed:
        add("fold_seed", data.fold_seed)
    for weights in data.given_weights:
        add("weights", (weights.modality, weights.encoder, weights.digest, weights.freeze))
    return digest.hexdigest()[:16]
