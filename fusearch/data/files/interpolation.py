"""Grids of values, brought to another number of positions, and values to another scale. Linear, and numpy alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["crop_or_pad", "resample", "resize", "through_window"]

FloatArray = npt.NDArray[np.float32]

#: A position is known where at least so much of what it is made of is no gap.
_KNOWN = 0.5


def resample(values: FloatArray, counts: Sequence[int], steps: Sequence[float], *, nearest: bool = False) -> FloatArray:
    """Interpolate linearly, axis by axis; the centre of the grid stays where it is.

    Where positions become fewer, each is a weighted mean over as wide a stretch as it stands for, so that nothing between them is lost.

    Args:
        values: (C, *grid); NaN where a value is missing.
        counts: New number of positions on each axis of the grid.
        steps: Distance of two new positions, in old ones.
        nearest: Whether each position takes the value of the nearest one, as those of masks do.
    """
    if nearest:
        return _nearest(values, counts, steps)
    known = ~np.isnan(values)
    if known.all():
        return _resample(values, counts, steps)
    share = _resample(known.astype(np.float32), counts, steps)
    total = _resample(np.where(known, values, np.float32(0)), counts, steps)
    return np.where(share >= _KNOWN, total / np.maximum(share, _KNOWN), np.float32(np.nan))


def _centres(size: int, count: int, step: float) -> npt.NDArray[np.float64]:
    """Return where the new positions of an axis stand among the old ones."""
    return np.asarray((np.arange(count) + 0.5 - count / 2) * step + size / 2 - 0.5)


def _nearest(values: FloatArray, counts: Sequence[int], steps: Sequence[float]) -> FloatArray:
    for axis, (count, step) in enumerate(zip(counts, steps, strict=True), start=1):
        size = values.shape[axis]
        values = values.take(np.floor(_centres(size, count, step) + 0.5).astype(int).clip(0, size - 1), axis)
    return np.ascontiguousarray(values)


def _resample(values: FloatArray, counts: Sequence[int], steps: Sequence[float]) -> FloatArray:
    for axis, (count, step) in enumerate(zip(counts, steps, strict=True), start=1):
        size = values.shape[axis]
        if count == size and step == 1:
            continue
        distances = np.abs(_centres(size, count, step).clip(0, size - 1)[:, None] - np.arange(size))
        weights = (1 - distances / max(1.0, step)).clip(0)
        weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
        values = np.moveaxis(np.tensordot(values, weights, axes=(axis, 1)), -1, axis)
    return np.ascontiguousarray(values)


def resize(values: FloatArray, size: Sequence[int], *, nearest: bool = False) -> FloatArray:
    """Stretch (C, *grid) to a grid of that size; as masks are where `nearest`."""
    return resample(values, size, [old / new for old, new in zip(values.shape[1:], size, strict=True)], nearest=nearest)


def crop_or_pad(values: FloatArray, size: Sequence[int], *, fill: float | None = None) -> FloatArray:
    """Take the middle of (C, *grid), or put it into the middle of a larger grid, filled with `fill`; None: the least value of all."""
    cut = tuple(slice(max(0, (old - new) // 2), max(0, (old - new) // 2) + new) for old, new in zip(values.shape[1:], size, strict=True))
    values = values[(slice(None), *cut)]
    rest = [new - old for old, new in zip(values.shape[1:], size, strict=True)]
    if not any(rest):
        return values
    around = float(np.nan if np.isnan(values).all() else np.nanmin(values)) if fill is None else fill
    return np.pad(values, [(0, 0), *((gap // 2, gap - gap // 2) for gap in rest)], constant_values=around)


def through_window(values: FloatArray, window: Sequence[float]) -> FloatArray:
    """Clip values to a window and scale it to 0 to 1."""
    low, high = window
    return ((values.clip(low, high) - np.float32(low)) / np.float32(high - low)).astype(np.float32)
