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

from fusearch.data.files.dicom import is_dicom, picture_place, stack_place
from fusearch.data.files.pictures import picture_size
from fusearch.data.files.stacking import load_package
from fusearch.data.files.volumes import NIFTI, directions, says_its_place
from fusearch.errors import DataError

__all__ = ["Extent", "extent_of", "one_spacing", "refuse_other_extents"]

#: Spacings are one where they differ by no more than this share.
_SAME = 0.01


@dataclass(frozen=True)
class Extent:
    """Where a file lies.

    Attributes:
        shape: Positions along each axis, as the file has them.
        box: The least and the greatest coordinate along the axes of the world, (2, 3) in millimetres; None where the file says none.
        step: The least distance of two positions in millimetres; 0 where the file says none.
        spacing: Millimetres between positions along depth, height and width (of a picture height and width); None where the file says none.
        kept: Positions along these axes, as what is read of the file has them.
    """

    shape: tuple[int, ...]
    box: npt.NDArray[np.float64] | None = None
    step: float = 0.0
    spacing: tuple[float, ...] | None = None
    kept: tuple[int, ...] = ()

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

    A file that cannot be read is told by what reads it.
    """
    name = path.name.lower()
    try:
        if name.endswith(".npy"):
            shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
            return Extent(tuple(shape[-num_axes:])) if len(shape) in (num_axes, num_axes + 1) else None
        if path.is_dir() or is_dicom(path):
            return _extent_of_dicom(path, num_axes)
        if num_axes == 2:
            return Extent(picture_size(path))
        return _extent_of_nifti(path) if name.endswith(NIFTI) else None
    except (DataError, OSError, SyntaxError, ValueError):
        return None


def refuse_other_extents(
    masks: Sequence[Path], images: Sequence[Path | None], *, num_axes: int, places: Sequence[str]
) -> list[Extent | None]:
    """Refuse masks that do not cover what their images cover: brought to one size, they would be stretched over another part.

    Args:
        masks: The mask of each sample.
        images: Its image; None where it has none.
        num_axes: 2 for pictures, 3 for volumes.
        places: Where each mask is named, for messages.

    Returns:
        Where each sample lies: that of its image, or of its mask where there is no image, or it says no spacing.

    Raises:
        DataError: Such a mask.
    """
    faults, found = [], []
    for mask, image, place in zip(masks, images, places, strict=True):
        ours, theirs = extent_of(mask, num_axes), None if image is None else extent_of(image, num_axes)
        if image is not None and ours is not None and theirs is not None and ours.matches(theirs) is False:
            faults.append(f"{place}: mask {mask.name!r} has {ours}, expected what its image {image.name!r} covers: {theirs}")
        found.append(theirs if theirs is not None and (theirs.spacing is not None or ours is None) else ours)
    if faults:
        raise DataError(*faults)
    return found


def one_spacing(extents: Sequence[Extent | None], size: Sequence[int] | None) -> tuple[float, ...]:
    """Return the millimetres between positions of the grid that all samples are stretched to; empty where they differ, or one says none.

    Args:
        extents: Where each sample lies.
        size: Positions along each axis of the grid; None: that of the files.
    """
    known = [(each.spacing, each.kept) for each in extents if each is not None and each.spacing is not None]
    if not known or len(known) < len(extents):
        return ()
    spacings = np.array([np.array(spacing) * np.array(kept) / np.array(size or kept) for spacing, kept in known])
    if not (np.isfinite(spacings).all() and spacings.min() > 0 and np.allclose(spacings, spacings[0], rtol=_SAME, atol=0)):
        return ()
    return tuple(round(float(step), 6) for step in spacings[0])


def _extent_of_dicom(path: Path, num_axes: int) -> Extent | None:
    if num_axes == 2:
        place = picture_place(path) if path.is_file() else None
        return None if place is None else Extent(place.shape, spacing=place.spacing, kept=place.shape)
    place = stack_place(path)
    return Extent(place.shape) if place.affine is None else _placed(place.shape, place.affine)


def _extent_of_nifti(path: Path) -> Extent | None:
    nibabel: Any = load_package("nibabel", path.name)
    try:
        with warnings.catch_warnings(), nibabel.imageglobals.LoggingOutputSuppressor():
            warnings.simplefilter("ignore")
            image = nibabel.load(path)
            affine, shape, placed = np.asarray(image.affine, np.float64), tuple(map(int, image.shape[:3])), says_its_place(image.header)
    except (nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError, EOFError, KeyError, TypeError):
        return None
    return _placed(shape, affine) if placed and len(shape) == 3 else None


def _placed(shape: tuple[int, ...], affine: npt.NDArray[np.float64]) -> Extent | None:
    """Return where an array of this shape lies whose positions an affine, (4, 4), leads to the world; None where it leads nowhere."""
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or lengths.min() <= 0:
        return None
    turned = directions(affine[:3, :3])
    corners = np.array([[*corner, 1.0] for corner in product(*((-0.5, count - 0.5) for count in shape))]) @ affine.T
    box = np.stack([corners[:, :3].min(axis=0), corners[:, :3].max(axis=0)])
    return Extent(shape, box, float(lengths.min()), turned.spacing, tuple(shape[axis] for axis in turned.order))


def _numbers(values: npt.NDArray[np.float64]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
