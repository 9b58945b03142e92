"""Several modalities as one `X` of scikit-learn: a dictionary whose rows can be taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fusearch.errors import DataError

__all__ = ["SliceDict"]


class SliceDict(dict[str, Any]):
    """A dictionary of arrays and data frames of equal length, of which scikit-learn can take rows; named after skorch's.

    `len` and `shape` tell the number of samples, a name gives a modality, and rows (a slice, numbers, a mask) give a `SliceDict` of them.

    Args:
        values: Modality -> values, row by row: arrays (N, ...) or data frames of N rows.

    Raises:
        DataError: No modality, or row counts that differ.

    Example:
        >>> X = SliceDict({"labs": np.zeros((4, 2)), "ecg": np.ones((4, 9, 1))})
        >>> len(X), X["ecg"].shape, X[[0, 2]]["labs"].shape
        (4, (4, 9, 1), (2, 2))
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        lengths = {name: len(each) for name, each in self.items()}
        if not lengths:
            raise DataError("a SliceDict without a modality, expected at least one")
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise DataError(f"modalities of different lengths: {told}; expected one row for each sample")
        self.shape = (next(iter(lengths.values())),)

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return super().__getitem__(key)
        rows = key[0] if isinstance(key, tuple) else key  # scikit-learn asks for [rows, ...]
        if not isinstance(rows, slice):
            rows = np.asarray(rows)
            if rows.ndim != 1:
                raise DataError("one row of a SliceDict, expected several: a slice, a list of numbers or a mask")
        return SliceDict({name: each.iloc[rows] if hasattr(each, "iloc") else np.asarray(each)[rows] for name, each in self.items()})

    def __repr__(self) -> str:
        return f"SliceDict({len(self)} samples of {', '.join(self)})"
