"""Strata of targets that are numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["quantile_strata"]

#: A continuous target is stratified by quantiles: at most so many bins, each with at least so many rows.
_BINS, _ROWS_A_BIN = 5, 20


def quantile_strata(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the quantile bin of each number, (N,)."""
    bins = min(_BINS, len(values) // _ROWS_A_BIN)
    if bins < 2:
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.asarray(np.digitize(values, edges), np.int64)
