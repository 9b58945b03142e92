"""Volumes: NIfTI, DICOM and NPY, one file (or folder of slices) a sample, brought to one orientation, spacing and size.

The axes of a volume are channels C, then depth D from feet to head, height H from back to front, width W from left to right: the
directions of RAS, the slowest axis first (decision 0074).
"""

from __future__ import annotations

import math
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fusearch.data.files.dicom import DICOM, is_dicom, read_stack
from fusearch.data.files.interpolation import crop_or_pad, resample, resize, through_window
from fusearch.data.files.npz import read_array
from fusearch.data.files.stacking import few, load_package, stack_files, told_shapes
from fusearch.data.files.text import one_line
from fusearch.errors import DataError

__all__ = ["NIFTI", "VOLUMES", "Directions", "Volumes", "directions", "is_stack", "package_of_volume", "read_volumes", "says_its_place"]

FloatArray = npt.NDArray[np.float32]

#: What a volume may be.
VOLUMES = (".nii", ".nii.gz", ".npy", *DICOM[:1], "a folder of DICOM slices")

#: Suffixes of NIfTI.
NIFTI = (".nii", ".nii.gz")

#: The world's axis, in RAS, of depth, height and width.
_WORLD = (2, 1, 0)

#: Deflate packs no tighter than this, so a header that asks for more than the file can hold is wrong.
_MOST_PACKED = 1032

#: Spacings are one where they differ by no more than this share; from so many degrees on, a volume stands oblique.
_SAME_SPACING, _OBLIQUE = 0.01, 5.0


@dataclass(frozen=True)
class Volumes:
    """The volumes of a modality.

    Attributes:
        values: (N, C, D, H, W) float32; NaN where a sample has none.
        notes: What is odd about the files, in one line each.
    """

    values: FloatArray
    notes: tuple[str, ...] = ()


@dataclass
class _Facts:
    """What is told of files after all of them were read: names of files, by what is odd."""

    spacings: dict[tuple[float, ...], list[str]] = field(default_factory=dict)
    odd: dict[str, list[str]] = field(default_factory=dict)

    def note(self, what: str, name: str) -> None:
        self.odd.setdefault(what, []).append(name)


def package_of_volume(name: str) -> str | None:
    """Return the package that reads a file, or folder, of that name; None: numpy does."""
    return None if name.lower().endswith(".npy") else "nibabel" if name.lower().endswith(NIFTI) else "pydicom"


def is_stack(path: Path) -> bool:
    """Whether a file, or folder, is read as slices of DICOM."""
    return path.is_dir() or (not path.name.lower().endswith((".npy", *NIFTI)) and is_dicom(path))


def read_volumes(
    files: Sequence[Path | None],
    *,
    size: Sequence[int] | None = None,
    spacing: Sequence[float] | None = None,
    window: Sequence[float] | None = None,
    channels: int | None = None,
    axes: Sequence[int] | None = None,
    places: Sequence[str] = (),
    make: Callable[[tuple[int, ...]], FloatArray] | None = None,
    nearest: bool = False,
) -> Volumes:
    """Read volumes of one shape.

    Args:
        files: The file, or the folder of slices, of each sample; None where it has none.
        size: Depth, height and width that all are brought to: at a `spacing` by cropping and padding around the centre, else by stretching.
        spacing: Millimetres between positions along depth, height and width, that all are interpolated to.
        window: The least and the largest value that are told apart; what is between becomes 0 to 1.
        channels: How many are taken, from the first on.
        axes: Which axes of a `.npy` file with four are those of channels, depth, height and width; left out, in this order.
        places: Where each sample's file is named, for messages.
        make: Makes the array of a shape; left out, in memory.
        nearest: Whether each position takes the value of the nearest one, as those of masks do.

    Raises:
        DataError: A file is missing or cannot be read, the shapes differ, or the package that reads it is not installed.
    """
    facts = _Facts()

    def read(file: Path) -> FloatArray:
        values, found = _read_placed(file, axes, facts)
        if channels is not None and len(values) < channels:
            raise DataError(f"{file.name}: {_channels(len(values))}, expected {channels} or more, as `channels` says")
        values = values[:channels]
        if spacing is not None:
            if found is None:
                raise DataError(f"{file.name}: it says no distance of its positions, which `spacing` needs; expected NIfTI or DICOM")
            counts = [max(1, round(count * old / new)) for count, old, new in zip(values.shape[1:], found, spacing, strict=True)]
            values = resample(values, counts, [new / old for old, new in zip(found, spacing, strict=True)], nearest=nearest)
        elif found is not None:
            known = next((one for one in facts.spacings if np.allclose(one, found, rtol=_SAME_SPACING)), found)
            facts.spacings.setdefault(known, []).append(file.name)
        if size is not None:
            fill = 0 if nearest else None
            values = resize(values, size, nearest=nearest) if spacing is None else crop_or_pad(values, size, fill=fill)
        if window is not None:
            values = through_window(values, window)
        if values.min() == values.max():
            facts.note(f"volumes of nothing but the value {values.flat[0] + 0.0:g}", file.name)
        return values

    values = stack_files(files, read, what="volumes", differ=_differ, places=places, folders=True, make=make)
    row_of = {file.name: place for file, place in zip(files, places, strict=False) if file is not None}
    placed = {what: [f"{name} ({row_of[name]})" if name in row_of else name for name in names] for what, names in facts.odd.items()}
    notes = [f"{what} ({len(names)}): {few(names)}" for what, names in placed.items()]
    return Volumes(values, (*notes, *_spacings(facts.spacings, size)))


def _spacings(spacings: Mapping[tuple[float, ...], list[str]], size: Sequence[int] | None) -> tuple[str, ...]:
    if len(spacings) < 2:
        return ()
    told = few([f"{_numbers(spacing)} ({len(names)}, such as {names[0]!r})" for spacing, names in spacings.items()])
    how = "which `size` alone stretches to one grid, so that one organ has several sizes" if size is not None else "which is not undone"
    return (f"volumes of {len(spacings)} spacings (D, H, W, in mm): {told}, {how}; `spacing` in the manifest would bring them together",)


def _numbers(values: Sequence[float]) -> str:
    return " x ".join(f"{value:.3g}" for value in values)


def _channels(count: int) -> str:
    return f"{count} channel{'s' * (count != 1)}"


def _differ(shapes: Mapping[tuple[int, ...], list[str]]) -> str:
    return told_shapes(shapes, f"volumes of {len(shapes)} shapes", "(C, D, H, W)", min)


def _read_placed(path: Path, axes: Sequence[int] | None, facts: _Facts) -> tuple[FloatArray, tuple[float, ...] | None]:
    """Return a volume (C, D, H, W) and its spacing, None where the file does not say it."""
    name = path.name.lower()
    if is_stack(path):
        stack = read_stack(path)
        for note in stack.notes:
            facts.note(note, path.name)
        values, affine = stack.values, stack.affine
    elif name.endswith(NIFTI):
        values, affine = _read_nifti(path, facts)
    elif name.endswith(".npy"):
        return _read_npy(path, axes), None
    else:
        raise DataError(f"{path.name}: cannot be read as a volume, expected one of: {', '.join(VOLUMES)}")
    if affine is None:
        facts.note("volumes without orientation or spacing, whose axes were taken as they are", path.name)
        return values, None
    lengths = np.linalg.norm(affine, axis=0)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine)) < 1e-6 * np.prod(lengths) or lengths.min() <= 0:
        raise DataError(f"{path.name}: its affine is no placement ({affine.round(3).tolist()}), expected three independent directions")
    values, spacing, angle = _to_ras(values, affine)
    if angle > _OBLIQUE:
        facts.note("oblique volumes, whose axes were taken for the nearest ones of RAS", path.name)
    return values, spacing


class Directions(NamedTuple):
    """How the axes of a file lie in the world.

    Attributes:
        order: Its axis that runs along depth, height and width.
        flipped: Whether that one runs against the direction of RAS.
        spacing: Millimetres between positions along depth, height and width.
        angle: By how many degrees the axes differ from those of the world.
    """

    order: tuple[int, ...]
    flipped: tuple[bool, ...]
    spacing: tuple[float, ...]
    angle: float


def directions(affine: npt.NDArray[np.float64]) -> Directions:
    """Return how axes with this affine, (3, 3), lie in the world: each is taken for the nearest one of RAS."""
    lengths = np.linalg.norm(affine, axis=0)
    cosines = affine / lengths

    def along(order: tuple[int, ...]) -> float:
        return sum(abs(float(cosines[world, axis])) for world, axis in zip(_WORLD, order, strict=True))

    order = max(permutations(range(3)), key=along)
    found = [float(cosines[world, axis]) for world, axis in zip(_WORLD, order, strict=True)]
    angle = math.degrees(math.acos(min(1.0, min(map(abs, found)))))
    return Directions(order, tuple(cosine < 0 for cosine in found), tuple(float(lengths[axis]) for axis in order), angle)


def _to_ras(values: FloatArray, affine: npt.NDArray[np.float64]) -> tuple[FloatArray, tuple[float, ...], float]:
    """Turn a volume so that its axes run along the world's; return it, its spacing, and by how many degrees they still differ."""
    turned = directions(affine)
    values = values.transpose(0, *(1 + axis for axis in turned.order))
    values = np.flip(values, tuple(1 + position for position, flipped in enumerate(turned.flipped) if flipped))
    return np.ascontiguousarray(values), turned.spacing, turned.angle


def _read_npy(path: Path, axes: Sequence[int] | None) -> FloatArray:
    array = read_array(path).values
    if array.ndim not in (3, 4) or array.dtype.kind not in "fiub" or 0 in array.shape:
        raise DataError(f"{path.name}: an array of {array.dtype} and shape {array.shape}, expected numbers as (D, H, W) or (C, D, H, W)")
    if array.ndim == 4 and axes is not None:
        array = array.transpose(axes)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array if array.ndim == 4 else array[None], np.float32)


def _read_nifti(path: Path, facts: _Facts) -> tuple[FloatArray, npt.NDArray[np.float64] | None]:
    """Return the values (C, i, j, k) and the affine (3, 3), None where neither form nor spacing is said."""
    nibabel = load_package("nibabel", path.name)
    try:
        with warnings.catch_warnings(), nibabel.imageglobals.LoggingOutputSuppressor():
            warnings.simplefilter("ignore")
            image = nibabel.load(path)
            _refuse_wrong_size(path, image)
            values = _numeric(image, path.name)
            header, affine = image.header, np.asarray(image.affine, np.float64)[:3, :3]
            placed = says_its_place(header)
    except (
        nibabel.filebasedimages.ImageFileError,
        nibabel.spatialimages.HeaderDataError,
        zlib.error,
        EOFError,
        KeyError,
        OSError,
        TypeError,
        ValueError,
    ) as error:
        raise DataError(f"{path.name}: cannot be read as NIfTI ({one_line(error)})") from None
    if not placed:
        facts.note("volumes without orientation (the codes of sform and qform are 0), taken to run to left, front and head", path.name)
    return values, affine


def says_its_place(header: Any) -> bool:
    """Whether the header of a NIfTI file says where the volume lies in the world."""
    return int(header["sform_code"]) != 0 or int(header["qform_code"]) != 0


def _refuse_wrong_size(path: Path, image: Any) -> None:
    """Refuse a header that asks for more values than the file can hold, before memory is asked for.

    Raises:
        ValueError: It does.
    """
    shape = image.shape
    if not 3 <= len(shape) <= 5 or min(shape) < 1:
        raise ValueError(f"its header says the shape {shape}, expected three axes, or four with channels")
    asked = math.prod(shape) * image.get_data_dtype().itemsize
    most = path.stat().st_size * (_MOST_PACKED if path.name.lower().endswith(".gz") else 1)
    if asked > most:
        raise ValueError(f"its header says the shape {shape}, {asked} bytes, and the file has {path.stat().st_size}")


def _numeric(image: Any, name: str) -> FloatArray:
    """Return the values (C, i, j, k): axes behind the third are channels."""
    stored = np.asarray(image.dataobj)
    if stored.dtype.names:  # colours
        stored = np.stack([stored[colour] for colour in stored.dtype.names], axis=-1)
    if stored.dtype.kind not in "fiub":
        raise DataError(f"{name}: values of {stored.dtype}, expected numbers")
    with np.errstate(over="ignore"):
        values = stored.astype(np.float32)
    return np.moveaxis(values.reshape(*values.shape[:3], -1), -1, 0)
