"""Where pictures and volumes lie: how many positions they have, and which part of the world a volume covers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.dicom import is_dicom
from fusearch.data.files.pictures import picture_size
from fusearch.data.files.stacking import load_package
from fusearch.data.files.volumes import NIFTI, says_its_place
from fusearch.errors import DataError

__all__ = ["Extent", "extent_of", "refuse_other_extents"]


@dataclass(frozen=True)
class Extent:
    """Where a file lies.

    Attributes:
        shape: Positions along each axis, as the file has them.
        box: The least and the greatest coordinate along the axes of the world, (2, 3) in millimetres; None where the file says none.
        step: The least distance of two positions in millimetres; 0 where the file says none.
    """

    shape: tuple[int, ...]
    box: npt.NDArray[np.float64] | None = None
    step: float = 0.0

    def __str__(self) -> str:
        size = " x ".join(map(str, self.shape)) + " positions"
        if self.box is None:
            return size
        return f"{size} from ({_numbers(self.box[0])}) to ({_numbers(self.box[1])}) mm"

    def matches(self, image: Extent) -> bool | None:
        """Whether a mask here covers what an image covers there; None where nothing tells."""
        if self.box is not None and image.box is not None:
            return bool(np.abs(self.box - image.box).max() <= image.step / 2)
        return None if self.box is not None or image.box is not None else self.shape == image.shape


def extent_of(path: Path, num_axes: int) -> Extent | None:
    """Return where a picture (2 axes) or a volume (3 axes) lies, from the head of the file; None where that does not tell.

    DICOM is not looked at, and a file that cannot be read is told by what reads it.
    """
    name = path.name.lower()
    try:
        if name.endswith(".npy"):
            shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
            return Extent(tuple(shape[-num_axes:])) if len(shape) in (num_axes, num_axes + 1) else None
        if path.is_dir() or is_dicom(path):
            return None
        if num_axes == 2:
            return Extent(picture_size(path))
        return _extent_of_nifti(path) if name.endswith(NIFTI) else None
    except (OSError, SyntaxError, ValueError):
        return None


def refuse_other_extents(masks: Sequence[Path], images: Sequence[Path | None], *, num_axes: int, places: Sequence[str]) -> None:
    """Refuse masks that do not cover what their images cover: brought to one size, they would be stretched over another part.

    Args:
        masks: The mask of each sample.
        images: Its image; None where it has none.
        num_axes: 2 for pictures, 3 for volumes.
        places: Where each mask is named, for messages.

    Raises:
        DataError: Such a mask.
    """
    faults = []
    for mask, image, place in zip(masks, images, places, strict=True):
        ours, theirs = extent_of(mask, num_axes), None if image is None else extent_of(image, num_axes)
        if image is not None and ours is not None and theirs is not None and ours.matches(theirs) is False:
            faults.append(f"{place}: mask {mask.name!r} has {ours}, expected what its image {image.name!r} covers: {theirs}")
    if faults:
        raise DataError(*faults)


def _extent_of_nifti(path: Path) -> Extent | None:
    nibabel: Any = load_package("nibabel", path.name)
    try:
        with warnings.catch_warnings(), nibabel.imageglobals.LoggingOutputSuppressor():
            warnings.simplefilter("ignore")
            image = nibabel.load(path)
            affine, shape, placed = np.asarray(image.affine, np.float64), tuple(map(int, image.shape[:3])), says_its_place(image.header)
    except (nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError, EOFError, KeyError, TypeError):
        return None
    if not placed or len(shape) < 3 or not np.isfinite(affine).all():
        return None
    corners = np.array([[*corner, 1.0] for corner in product(*((-0.5, count - 0.5) for count in shape))]) @ affine.T
    box = np.stack([corners[:, :3].min(axis=0), corners[:, :3].max(axis=0)])
    return Extent(shape, box, float(np.linalg.norm(affine[:3, :3], axis=0).min()))


def _numbers(values: npt.NDArray[np.float64]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
