"""Masks that a model says, written as files that fit the images they were said of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.dicom import stack_place
from fusearch.data.files.interpolation import crop_or_pad, resample, resize
from fusearch.data.files.pictures import IMAGES, read_images, write_picture
from fusearch.data.files.stacking import load_package
from fusearch.data.files.volumes import NIFTI, directions, is_stack, read_volumes

__all__ = ["packages_that_write", "write_mask"]


def packages_that_write(reading: Iterable[str], num_axes: int) -> tuple[str, ...]:
    """Return what writing masks needs, given the packages that read their images: nibabel for volumes of DICOM."""
    return ("nibabel",) if num_axes == 3 and "pydicom" in reading else ()


def write_mask(
    mask: npt.NDArray[np.uint8],
    target: Path,
    *,
    like: Path | None = None,
    size: Sequence[int] | None = None,
    spacing: Sequence[float] | None = None,
    axes: Sequence[int] | None = None,
) -> tuple[Path, npt.NDArray[np.uint8]]:
    """Write a mask beside others; return its file, and the mask as it stands there.

    As its image is: of NIfTI as NIfTI, on the positions and with the affine of that file; of DICOM volumes too, on the positions of the
    series (decision 0111), or as NPY where it says no place; of a picture as PNG, of DICOM pictures and of NPY as NPY, of its size; else as
    NPY, as the model says it.

    Args:
        mask: Values on the grid of the model, (H, W) or (D, H, W).
        target: The file, without an ending.
        like: The file of the image; None where there is none.
        size: What images were brought to, as for `read_images` and `read_volumes`.
        spacing: The same.
        axes: Which axes of an NPY file are which, as there.

    Raises:
        DataError: The file of the image cannot be read.
        OSError: The mask cannot be written.
    """
    name = "" if like is None else like.name.lower()
    if like is not None and mask.ndim == 3 and name.endswith(NIFTI):
        return _write_as_nifti(mask, _named(target, ".nii.gz"), like, size, spacing)
    if like is not None and mask.ndim == 3 and is_stack(like):
        return _write_for_dicom(mask, target, like, size, spacing)
    if like is not None and size is not None and (mask.ndim == 2 or name.endswith(".npy")):
        own = read_images([like], axes=axes) if mask.ndim == 2 else read_volumes([like], axes=axes)
        mask = resize(mask[None].astype(np.float32), own.values.shape[2:], nearest=True)[0].astype(np.uint8)
    if mask.ndim == 2 and name.endswith(IMAGES[1:-1]):
        return write_picture(mask, _named(target, ".png")), mask
    path = _named(target, ".npy")
    np.save(path, mask)
    return path, mask


def _named(target: Path, ending: str) -> Path:
    return target.with_name(target.name + ending)


def _write_as_nifti(
    mask: npt.NDArray[np.uint8], path: Path, like: Path, size: Sequence[int] | None, spacing: Sequence[float] | None
) -> tuple[Path, npt.NDArray[np.uint8]]:
    nibabel = load_package("nibabel", like.name)
    image = nibabel.load(like)
    stored = _as_it_lay(mask, image.shape[:3], np.asarray(image.affine, np.float64), size, spacing)
    nibabel.save(type(image)(stored, image.affine, _header(image)), path)
    return path, stored


def _write_for_dicom(
    mask: npt.NDArray[np.uint8], target: Path, like: Path, size: Sequence[int] | None, spacing: Sequence[float] | None
) -> tuple[Path, npt.NDArray[np.uint8]]:
    """Write columns, rows and slices, as converters of DICOM do; slices, rows and columns where nothing says how they lie."""
    place = stack_place(like)
    if place.affine is None:
        path = _named(target, ".npy")
        mask = resize(mask[None].astype(np.float32), place.shape, nearest=True)[0].astype(np.uint8)
        np.save(path, mask)
        return path, mask
    nibabel = load_package("nibabel", f"the mask of {like.name}", work="writing")
    stored = np.ascontiguousarray(_as_it_lay(mask, place.shape, place.affine, size, spacing).transpose())
    image = nibabel.Nifti1Image(stored, place.affine[:, [2, 1, 0, 3]])
    image.set_sform(image.affine, "scanner")
    image.set_qform(image.affine, "scanner")
    image.header.set_xyzt_units("mm")
    path = _named(target, ".nii.gz")
    nibabel.save(image, path)
    return path, stored


def _as_it_lay(
    mask: npt.NDArray[np.uint8],
    shape: Sequence[int],
    affine: npt.NDArray[np.float64],
    size: Sequence[int] | None,
    spacing: Sequence[float] | None,
) -> npt.NDArray[np.uint8]:
    """Undo, backwards, what brought a volume of this shape and affine, (4, 4), to the grid: size, spacing, orientation."""
    turned = directions(affine[:3, :3])
    counts = [shape[axis] for axis in turned.order]
    values = mask[None].astype(np.float32)
    if spacing is not None:
        apart = [old / new for old, new in zip(turned.spacing, spacing, strict=True)]
        between = [max(1, round(count * step)) for count, step in zip(counts, apart, strict=True)]
        values = values if size is None else crop_or_pad(values, between, fill=0)
        values = resample(values, counts, apart, nearest=True)
    elif size is not None:
        values = resize(values, counts, nearest=True)
    found = np.flip(values[0], tuple(axis for axis, flipped in enumerate(turned.flipped) if flipped))
    return np.ascontiguousarray(found.transpose(np.argsort(turned.order)), np.uint8)


def _header(image: Any) -> Any:
    """Return the header of an image for its mask: the same place, units and codes of both, and nothing of its values."""
    header = image.header.copy()
    header.set_data_dtype(np.uint8)
    header.set_intent("none")
    header["cal_min"] = header["cal_max"] = 0
    return header
