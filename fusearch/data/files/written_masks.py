"""Masks that a model says, written as files that fit the images they were said of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fusearch.data.files.interpolation import crop_or_pad, resample, resize
from fusearch.data.files.pictures import IMAGES, picture_size, write_picture
from fusearch.data.files.stacking import load_package
from fusearch.data.files.volumes import NIFTI, directions

__all__ = ["write_mask"]


def write_mask(
    mask: npt.NDArray[np.uint8],
    target: Path,
    *,
    like: Path | None = None,
    size: Sequence[int] | None = None,
    spacing: Sequence[float] | None = None,
) -> Path:
    """Write a mask beside others, and return its file.

    As its image is: of NIfTI as NIfTI, on the positions and with the affine of that file; of a picture as PNG of its size; else as NPY, as
    the model says it.

    Args:
        mask: Values on the grid of the model, (H, W) or (D, H, W).
        target: The file, without an ending.
        like: The file of the image; None where there is none.
        size: What images were brought to, as for `read_images` and `read_volumes`.
        spacing: The same.

    Raises:
        OSError: It cannot be written.
    """
    name = "" if like is None else like.name.lower()
    if like is not None and mask.ndim == 3 and name.endswith(NIFTI):
        return _write_nifti(mask, _named(target, ".nii.gz"), like, size, spacing)
    if like is not None and mask.ndim == 2 and name.endswith(IMAGES[1:-1]):
        found = mask if size is None else resize(mask[None].astype(np.float32), picture_size(like), nearest=True)[0]
        return write_picture(found.astype(np.uint8), _named(target, ".png"))
    path = _named(target, ".npy")
    np.save(path, mask)
    return path


def _named(target: Path, ending: str) -> Path:
    return target.with_name(target.name + ending)


def _write_nifti(mask: npt.NDArray[np.uint8], path: Path, like: Path, size: Sequence[int] | None, spacing: Sequence[float] | None) -> Path:
    """Undo, backwards, what brought the volume to the grid: size, spacing, orientation."""
    nibabel = load_package("nibabel", like.name)
    image = nibabel.load(like)
    turned = directions(np.asarray(image.affine, np.float64)[:3, :3])
    counts = [image.shape[axis] for axis in turned.order]
    values = mask[None].astype(np.float32)
    if spacing is not None:
        apart = [old / new for old, new in zip(turned.spacing, spacing, strict=True)]
        between = [max(1, round(count * step)) for count, step in zip(counts, apart, strict=True)]
        values = values if size is None else crop_or_pad(values, between)
        values = resample(values, counts, apart, nearest=True)
    elif size is not None:
        values = resize(values, counts, nearest=True)
    found = np.flip(values[0], tuple(axis for axis, flipped in enumerate(turned.flipped) if flipped))
    stored = np.ascontiguousarray(found.transpose(np.argsort(turned.order)), np.uint8)
    nibabel.save(nibabel.Nifti1Image(stored, image.affine), path)
    return path
