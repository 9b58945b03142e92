"""Masks: pictures and volumes of whole numbers, one file a sample, brought to the grid of the images that they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.interpolation import resize
from fusearch.data.files.pictures import read_codes
from fusearch.data.files.stacking import stack_files, told_shapes
from fusearch.data.files.volumes import read_volumes
from fusearch.errors import DataError

__all__ = ["read_masks"]


#: Suffixes of pictures whose values are not those that were written.
_JPEG = (".jpg", ".jpeg")


def read_masks(
    files: Sequence[Path],
    *,
    num_axes: int,
    size: Sequence[int] | None = None,
    spacing: Sequence[float] | None = None,
    places: Sequence[str] = (),
) -> npt.NDArray[np.uint8]:
    """Return the masks of samples, (N, *grid): no value between two classes is made, whatever they are brought to.

    Args:
        files: The file of each sample.
        num_axes: 2 for pictures, 3 for volumes, which are turned to RAS as those of images are.
        size: Positions along each axis that all are brought to, as images are.
        spacing: Millimetres between positions of a volume, as for images.
        places: Where each sample's file is named, for messages.

    Raises:
        DataError: A file is missing or is no mask, or the shapes differ.
    """

    def read(file: Path) -> npt.NDArray[np.float32]:
        if num_axes == 3:
            values = read_volumes([file], size=size, spacing=spacing, nearest=True).values[0]
        else:
            values = read_codes(file)
            values = values if size is None else resize(values, size, nearest=True)
        if len(values) != 1:
            raise DataError(f"{file.name}: a mask of {len(values)} channels, expected one")
        if not (np.isfinite(values).all() and (values == values.round()).all() and values.min() >= 0 and values.max() <= 255):
            raise DataError(f"{file.name}: its values are no classes, expected whole numbers from 0 to 255")
        if file.suffix.lower() in _JPEG and len(found := np.unique(values)) > 2:
            raise DataError(
                f"{file.name}: a JPEG of {len(found)} values, as it blurs the edges of classes; expected a PNG, TIFF or NPY file"
            )
        mask: npt.NDArray[np.float32] = values[0]
        return mask

    def differ(shapes: Mapping[tuple[int, ...], list[str]]) -> str:
        told = told_shapes({(1, *shape): names for shape, names in shapes.items()}, f"masks of {len(shapes)} shapes", "", min)
        return f"{told}, with the images"

    def make(shape: tuple[int, ...]) -> Any:
        return np.empty(shape, np.uint8)

    masks: Any = stack_files(files, read, what="masks", differ=differ, places=places, folders=num_axes == 3, make=make)
    return np.asarray(masks, np.uint8)
