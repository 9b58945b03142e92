"""Rows with identical content: two names for one sample, which must not stand on two sides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["crossing_duplicates", "identical_rows", "merge_duplicates"]

StrArray = npt.NDArray[np.str_]


def identical_rows(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    """Return, for each row, the number of the first row with the same values in all arrays; its own number where there is none before it.

    Missing values are equal to each other. A row without any value is identical to no other.

    Args:
        arrays: Float arrays of (N, ...).
    """
    first: dict[bytes, int] = {}
    owners = np.arange(len(arrays[0]))
    for row in range(len(owners)):
        if all(np.isnan(array[row]).all() for array in arrays):
            continue
        digest = hashlib.blake2b(digest_size=16)
        for array in arrays:
            values = array[row] + 0.0  # -0.0 becomes 0.0
            digest.update(np.where(np.isnan(values), np.float32(np.nan), values).tobytes())
        owners[row] = first.setdefault(digest.digest(), row)
    return owners


def crossing_duplicates(arrays: Sequence[npt.NDArray[Any]], split_of: StrArray) -> list[tuple[int, int]]:
    """Return the pairs (first row, later row) with identical content that stand in different splits."""
    owners = identical_rows(arrays)
    return [(int(owners[row]), int(row)) for row in np.flatnonzero(split_of != split_of[owners])]


def merge_duplicates(groups: StrArray, arrays: Sequence[npt.NDArray[Any]]) -> StrArray:
    """Join the groups that share a row with identical content; the joined group has the name of its first row's group."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    owners = identical_rows(arrays)
    _, codes = np.unique(groups, return_inverse=True)
    links = (np.ones(len(owners)), (codes, codes[owners]))
    _, components = connected_components(coo_array(links, shape=(codes.max() + 1,) * 2), directed=False)
    _, first, inverse = np.unique(components[codes], return_index=True, return_inverse=True)
    return groups[first][inverse]
