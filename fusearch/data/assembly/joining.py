"""Which row of a file belongs to which sample: by id; by position only where nothing in the files speaks against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.ids import columns_of_names, in_other_order, near_miss
from fusearch.errors import DataError, ManifestError

__all__ = ["join_by_id", "refuse_other_order"]

IntArray = npt.NDArray[np.int64]


def refuse_other_order(place: str, columns: Mapping[str, Any], named: Mapping[str, tuple[str, list[str]]], manifest: str) -> None:
    """Refuse to join by position where two files name their rows, and not in the same order.

    Args:
        place: Name of the file.
        columns: What it holds.
        named: What other files name their rows by: name of the column -> file, and texts.
        manifest: Name of the manifest, for messages.

    Raises:
        ManifestError: They do.
    """
    for name, theirs in columns_of_names(columns.items()).items():
        for other, (file, ours) in named.items():
            if not in_other_order(ours, theirs, same_name=name == other):
                continue
            if name == other:
                what = f"{file} and {place} both have {name!r}, and not in the same order"
                raise ManifestError(f"{manifest}: {what}, so rows would be joined wrongly by position; did you mean `id: {name}`?")
            what = f"{other!r} of {file} and {name!r} of {place} name the same rows, and not in the same order"
            raise ManifestError(f"{manifest}: {what}; give both one name and say `id: {other}`")


def join_by_id(ours: list[str], theirs: list[str], our_place: str, place: str) -> tuple[IntArray, tuple[str, ...]]:
    """Return the row in the file of each sample (-1: none), and what is strange about it.

    Args:
        ours: Ids of the samples.
        theirs: Ids of the rows of the file.
        our_place: Name of the labels file.
        place: Name of the file.

    Raises:
        DataError: No sample has a row.
    """
    row_of = {identity: row for row, identity in enumerate(theirs)}
    positions = np.array([row_of.get(identity, -1) for identity in ours], np.int64)
    missing = int((positions < 0).sum())
    hint = near_miss(ours, theirs) if missing and missing + len(theirs) > len(ours) else None
    if missing == len(ours):
        what = f"none of its {len(theirs)} ids is in {our_place} (its first is {theirs[0]!r}), expected ids such as {ours[0]!r}"
        raise DataError(f"{place}: {what}" + (f"; {hint}" if hint else ""))
    if hint is None:
        return positions, ()
    return positions, (f"{place} has a row for {len(ours) - missing} of {len(ours)} samples; {hint}",)
