"""Values that lie far off those that were seen before: another unit, another depth of the grey levels.

Axis letters: N samples, C columns.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["amounts", "far_off", "range_of"]

Array = npt.NDArray[Any]

#: How far beyond what was seen the middle of the rows lies, in widths of the range: a few rows may be odd by themselves.
_MARGIN, _MARGIN_OF_FEW, _FEW = 0.5, 5.0, 5


def amounts(values: Array, num_columns: int | None = None) -> Array:
    """Return what is compared, (N, C): the first columns of a table, or of anything else the mean of a sample.

    Args:
        values: (N, ...); NaN where a value is missing.
        num_columns: How many columns of a table are numbers; None: it is no table.
    """
    if num_columns is not None:
        return values[:, :num_columns]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a sample without a value
        return np.asarray(np.nanmean(values.reshape(len(values), -1), axis=1, keepdims=True))


def range_of(seen: Array) -> tuple[Array, Array]:
    """Return the least and the greatest amount of each column, (C,) each; NaN where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmin(seen, axis=0), np.nanmax(seen, axis=0)


def far_off(found: Array, low: Array, high: Array) -> list[tuple[int, float]]:
    """Return the columns whose median lies far beyond what was seen, with the median.

    Example:
        >>> far_off(np.full((9, 2), [70.0, 1800.0]), np.array([40.0, 1.5]), np.array([120.0, 2.0]))
        [(1, 1800.0)]
    """
    if not len(found):
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        middle = np.nanmedian(found, axis=0)
    room = (high - low) * (_MARGIN if len(found) >= _FEW else _MARGIN_OF_FEW)
    far = np.flatnonzero((room > 0) & ((middle < low - room) | (middle > high + room)))
    return [(int(column), float(middle[column])) for column in far]
