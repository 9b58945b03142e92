"""Strata of targets that are numbers, or combinations of what rows have."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["joined_strata", "quantile_strata"]

#: A continuous target is stratified by quantiles: at most so many bins, each with at least so many rows.
_BINS, _ROWS_A_BIN = 5, 20
#: A stratum has at least so many rows, one for each split and some to spare.
_LEAST = 5


def quantile_strata(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the quantile bin of each number, (N,); where most are one number, bins of few rows are joined with another."""
    bins = min(_BINS, len(values) // _ROWS_A_BIN)
    if bins < 2:
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    return joined_strata(np.asarray(np.digitize(values, edges), np.int64))


def joined_strata(strata: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the strata with those of fewer than five rows joined with each other and, where that is not enough, with the largest, (N,)."""
    numbers, place, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    small = sizes < _LEAST
    if not small.any():
        return strata
    rest = numbers[small][0] if sizes[small].sum() >= _LEAST else numbers[sizes.argmax()]
    return np.where(small[place], rest, strata).astype(np.int64)
