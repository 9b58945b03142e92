"""Labels that stand in an NPZ file beside the arrays of measurements, and files that hold a training and a test half of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fusearch.data.drafting.found import FoundTable, Holdings
from fusearch.data.files.npz import names_in, read_entries
from fusearch.errors import DataError

__all__ = ["halves", "is_test_half", "labels_in_arrays"]

#: How the arrays of the two halves end.
_TRAIN, _TEST = "_train", "_test"


def labels_in_arrays(found: Holdings, targets: Sequence[str]) -> tuple[FoundTable, list[str]] | None:
    """Return the entries of an NPZ file that has arrays named as the targets, or as their training halves, and the names of these."""
    for path in found.arrays:
        names = names_in(path)
        held = [next((name for name in (target, target + _TRAIN) if name in names), None) for target in targets]
        columns = [name for name in held if name is not None]
        if not columns or len(columns) < len(targets):
            continue
        try:
            return FoundTable(path, None, pd.DataFrame(read_entries(path, columns[0]))), columns
        except DataError as error:
            found.notes.append(f"left out: {error}")
    return None


def halves(document: Mapping[str, Any], folder: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return a manifest of arrays that end in `_train`, with modalities named without that, and that of their `_test` half.

    Args:
        document: A manifest whose labels stand in an NPZ file.
        folder: Where its paths start.

    Returns:
        None where the labels have no other half.
    """
    task, names = document["task"], names_in(folder / document["task"]["file"])
    columns = {key: value for key, value in task.items() if key not in ("kind", "file")}
    if not all(isinstance(value, str) and value.endswith(_TRAIN) and _other(value) in names for value in columns.values()):
        return None
    paired = {name: keys for name, keys in document["modalities"].items() if _other(keys.get("key") or "") in names}
    if not paired:
        return None
    train = {name.removesuffix(_TRAIN): keys for name, keys in paired.items()}
    test = {name: {**keys, "key": _other(keys["key"])} for name, keys in train.items()}
    other_task = {**task, **{key: _other(value) for key, value in columns.items()}}
    return {**document, "modalities": train}, {**document, "task": other_task, "modalities": test}


def is_test_half(name: str | None) -> bool:
    """Whether an array is named as a test half: it has rows of its own."""
    return name is not None and name.endswith(_TEST)


def _other(name: str) -> str:
    return name.removesuffix(_TRAIN) + _TEST if name.endswith(_TRAIN) else ""
