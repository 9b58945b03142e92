"""The target column as numbers: class codes or a continuous target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.tables import as_text, sorted_labels
from fusearch.data.task import Task, TaskKind
from fusearch.errors import DataError, suggestion

__all__ = ["encode_targets"]

#: A classification with this many rows and more classes than half of them is most likely a continuous target.
_MANY_ROWS = 20


def encode_targets(
    values: Any, kind: TaskKind, name: str, *, ids: Sequence[str], place: str, labels: Sequence[str] | None = None
) -> tuple[npt.NDArray[Any], Task]:
    """Turn the target column into int64 class codes or float32 numbers, and say what the task is.

    Args:
        values: The target of each row, (N,).
        kind: `classification` or `regression`.
        name: Name of the target column.
        ids: Id of each row, for messages.
        place: Where the column comes from, for messages.
        labels: Class names in the order of their codes; left out, the names that occur, sorted.

    Raises:
        DataError: A missing label, a label of no class, labels of one class, or a number that is not finite.
    """
    texts = as_text(values)
    for row, text in enumerate(texts):
        if text is None or text == "":
            raise DataError(f"{place}: column {name!r} is empty in row {row + 1} (id {ids[row]!r}), expected a {_word(kind)} in every row")
    known = [text for text in texts if text is not None]
    if kind == "regression":
        return _numbers(known, name, ids, place), Task("regression", name)
    found = sorted_labels(set(known))
    if len(found) == 1:
        raise DataError(f"{place}: column {name!r} has labels of one class ({found[0]!r}), expected two classes or more")
    if labels is None and len(known) >= _MANY_ROWS and len(found) > len(known) / 2:
        raise DataError(
            f"{place}: column {name!r} has {len(found)} classes in {len(known)} rows; a continuous target is `kind: regression`"
        )
    names = tuple(labels) if labels is not None else found
    for text in found:
        if text not in names:
            raise DataError(f"{place}: column {name!r} holds the label {text!r}, {suggestion(text, names)}")
    code_of = {label: code for code, label in enumerate(names)}
    return np.array([code_of[text] for text in known], np.int64), Task("classification", name, names)


def _numbers(texts: Sequence[str], name: str, ids: Sequence[str], place: str) -> npt.NDArray[np.float32]:
    numbers = np.empty(len(texts), np.float32)
    for row, text in enumerate(texts):
        try:
            with np.errstate(over="ignore"):
                numbers[row] = float(text)
        except ValueError:
            numbers[row] = np.nan
        if not np.isfinite(numbers[row]):
            raise DataError(f"{place}: column {name!r} holds {text!r} in row {row + 1} (id {ids[row]!r}), expected a finite number")
    if len(np.unique(numbers)) < 2:
        raise DataError(f"{place}: column {name!r} is {numbers[0]:g} in every row, expected a target that varies")
    return numbers


def _word(kind: TaskKind) -> str:
    return "label" if kind == "classification" else "number"
