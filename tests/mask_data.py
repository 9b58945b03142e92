"""Generated pictures with masks: what is to be found stands in two modalities together, and its size in a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from fusearch.data import Dataset

__all__ = ["mask_arrays", "mask_data"]


def mask_arrays(rows: int, side: int = 16, *, axes: int = 2, seed: int = 0) -> dict[str, Any]:
    """Return `t1`, which shows a ball, `t2`, which shows a box, `clinical`, and `masks`: what is ball and no box."""
    rng = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(*[np.arange(side)] * axes, indexing="ij"))
    shape = (rows, 1, *[side] * axes)
    ball, box = np.zeros(shape, bool), np.zeros(shape, bool)
    for row in range(rows):
        centre, corner = rng.uniform(0.3 * side, 0.7 * side, (2, axes))
        away = places - centre.reshape(-1, *[1] * axes)
        ball[row, 0] = (away**2).sum(axis=0) < (side * rng.uniform(0.2, 0.3)) ** 2
        box[row, 0] = (np.abs(places - corner.reshape(-1, *[1] * axes)) < side * rng.uniform(0.1, 0.2)).all(axis=0)
    masks = (ball & ~box)[:, 0].astype(np.uint8)
    size = masks.reshape(rows, -1).mean(axis=1)
    noise = rng.normal(0, 0.3, (2, *shape))
    clinical = np.column_stack([size + rng.normal(0, 0.01, rows), rng.normal(size=rows)])
    return {
        "t1": (ball + noise[0]).astype(np.float32),
        "t2": (box + noise[1]).astype(np.float32),
        "clinical": clinical.astype(np.float32),
        "masks": masks,
    }


def mask_data(rows: int = 40, side: int = 16, *, axes: int = 2, **options: Any) -> Dataset:
    """Return them as a data set."""
    arrays = mask_arrays(rows, side, axes=axes)
    masks = arrays.pop("masks")
    return Dataset.from_arrays("shapes", modalities=arrays, targets=masks, task="segmentation", target_name="lesion", **options)
