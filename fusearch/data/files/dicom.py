"""DICOM: a file as a picture or as several slices, a folder as a series of slices."""

from __future__ import annotations

import importlib
import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.stacking import few, load_package
from fusearch.data.files.text import one_line
from fusearch.errors import DataError

__all__ = ["DICOM", "SlicePlace", "SliceStack", "is_dicom", "picture_place", "read_picture", "read_stack", "stack_place"]

FloatArray = npt.NDArray[np.float32]

#: Suffixes of a DICOM file; it may have none.
DICOM = (".dcm", ".dicom", ".ima")

#: Two directions are one where their cosines differ by no more; two places, where they are no further apart than this share of the widest
#: gap; a gap between slices is uneven from this share of the usual one on.
_SAME_DIRECTION, _SAME_PLACE, _UNEVEN = 1e-3, 1e-3, 0.05

#: From the axes of DICOM (to left, back and head) to those of RAS.
_TO_RAS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class SliceStack:
    """Slices that lie upon each other.

    Attributes:
        values: (C, slices, rows, columns), in the units of the modality (Rescale Slope and Intercept are applied).
        affine: (3, 3): millimetres from left to right, from back to front and from feet to head (RAS) of one step along each of the last
            three axes; None where the file does not say it.
        notes: What is odd about it.
    """

    values: FloatArray
    affine: npt.NDArray[np.float64] | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SlicePlace:
    """Where slices lie.

    Attributes:
        shape: (slices, rows, columns); of a picture (rows, columns).
        affine: (4, 4), from positions along these axes to millimetres in RAS; None where the files do not say it.
        spacing: Millimetres between rows and between columns of a picture; None where the file does not say it.
    """

    shape: tuple[int, ...]
    affine: npt.NDArray[np.float64] | None = None
    spacing: tuple[float, float] | None = None


@dataclass(frozen=True)
class _Slice:
    name: str
    pixels: FloatArray
    number: float | None
    position: npt.NDArray[np.float64] | None
    directions: npt.NDArray[np.float64] | None
    spacing: tuple[float, float] | None
    distance: float | None


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def read_picture(path: Path) -> tuple[FloatArray, int, int]:
    """Return the pixels of the first frame (C, H, W), the bits of one stored value, and the number of frames.

    Raises:
        DataError: It is no DICOM file, or has no pixels, or pydicom, which reads it, is not installed.
    """
    dataset = _read_header(path)
    slices = _slices(dataset, path.name)
    return slices[0].pixels, int(dataset.get("BitsStored") or dataset.BitsAllocated), len(slices)


def read_stack(path: Path) -> SliceStack:
    """Read the frames of a file, or the slices of a folder, sorted along their normal.

    Raises:
        DataError: No file, or one without pixels; several series; slices of different shape or direction, or two at one place.
    """
    return _stack(_slices_of(path), path.name)


def stack_place(path: Path) -> SlicePlace:
    """Return where the frames of a file, or the slices of a folder, lie, without their pixels.

    Raises:
        DataError: As `read_stack`, but for pixels that cannot be decoded.
    """
    slices, affine, _ = _sorted(_slices_of(path, pixels=False), path.name)
    shape = len(slices), *slices[0].pixels.shape[1:]
    origin = slices[0].position
    if affine is None or origin is None:
        return SlicePlace(shape)
    placed = np.eye(4)
    placed[:3, :3], placed[:3, 3] = affine, _TO_RAS @ origin
    return SlicePlace(shape, placed)


def picture_place(path: Path) -> SlicePlace:
    """Return the size of a picture, and how far its positions are apart.

    Raises:
        DataError: It is no DICOM file, or has no pixels.
    """
    first = _slices(_read_header(path, pixels=False), path.name, pixels=False)[0]
    return SlicePlace(first.pixels.shape[1:], spacing=first.spacing)


def _slices_of(path: Path, *, pixels: bool = True) -> list[_Slice]:
    if not path.is_dir():
        return _slices(_read_header(path, pixels=pixels), path.name, pixels=pixels)
    inside = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith(".") and file.name != "DICOMDIR")
    files = [file for file in inside if is_dicom(file)]
    if not files:
        what = f"none of its {len(inside)} files is DICOM" if inside else "the folder is empty"
        raise DataError(f"{path.name}: {what}, expected the slices of a DICOM series")
    headers = {file.name: _read_header(file, pixels=pixels) for file in files}
    _refuse_mixed(headers, path.name)
    return [one for name, header in headers.items() for one in _slices(header, f"{path.name}/{name}", pixels=pixels)]


def _read_header(path: Path, *, pixels: bool = True) -> Any:
    pydicom = load_package("pydicom", path.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of values that break its rules; those that are read are looked at below
            return pydicom.dcmread(path, stop_before_pixels=not pixels)
    except _broken(pydicom) as error:
        raise DataError(f"{path.name}: cannot be read as DICOM ({one_line(error)})") from None


def _broken(pydicom: Any) -> tuple[type[Exception], ...]:
    """Return what pydicom raises for a file that is not as it should be."""
    plain = (
        AttributeError,
        EOFError,
        IndexError,
        KeyError,
        NotImplementedError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
        struct.error,
    )
    return (pydicom.errors.InvalidDicomError, pydicom.errors.BytesLengthException, *plain)


def _refuse_mixed(headers: dict[str, Any], place: str) -> None:
    series: dict[str, list[Any]] = {}
    for header in headers.values():
        series.setdefault(str(header.get("SeriesInstanceUID", "without a number")), []).append(header)
    if len(series) > 1:
        told = [f"{uid} ({found[0].get('SeriesDescription') or 'no description'}, {len(found)} files)" for uid, found in series.items()]
        raise DataError(f"{place}: {len(series)} series in one folder: {few(told)}; expected one series a folder")


def _slices(dataset: Any, name: str, *, pixels: bool = True) -> list[_Slice]:
    """Return the frames of a file with what it says of their place; without `pixels` these have no channel, and take no room.

    Raises:
        DataError: It has no pixels, or they cannot be decoded.
    """
    pydicom = load_package("pydicom", name)
    if pixels and not any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise DataError(f"{name}: a DICOM file without pixels, expected an image")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape = int(dataset.get("NumberOfFrames") or 1), int(dataset.Rows), int(dataset.Columns)
            frames = _stored(dataset).reshape(*shape, -1) if pixels else np.zeros((*shape, 0))
            return [_slice(dataset, name, frame, index, len(frames)) for index, frame in enumerate(frames)]
    except _broken(pydicom) as error:
        raise DataError(f"{name}: its pixels cannot be read ({one_line(error)})") from None


def _stored(dataset: Any) -> npt.NDArray[Any]:
    """Return the stored values as they are meant to be seen, bright is high: frames, rows, columns, C, those of size 1 left out."""
    decoding = importlib.import_module("pydicom.pixels")
    values = decoding.pixel_array(dataset)
    look = str(dataset.get("PhotometricInterpretation", ""))
    if look == "PALETTE COLOR":
        values = decoding.apply_color_lut(values, dataset)
    if look == "MONOCHROME1" and values.dtype.kind in "iu":
        signed, bits = bool(dataset.PixelRepresentation), int(dataset.BitsStored)
        values = (-1 if signed else 2**bits - 1) - values.astype(np.int64)
    return np.asarray(values)


def _slice(dataset: Any, name: str, frame: npt.NDArray[Any], index: int, frames: int) -> _Slice:
    def fact(group: str, keyword: str, *, of_all_frames: bool = True) -> Any:
        """Return what is said of this frame, else of all frames (enhanced DICOM), else of the file."""
        for functional in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
            items = dataset.get(functional) or ()
            item = items[index if functional.startswith("Per") else 0] if len(items) else {}
            if group in item and keyword in item[group][0]:
                return item[group][0][keyword].value
        return dataset.get(keyword) if of_all_frames or frames == 1 else None

    def numbers(value: Any, count: int) -> npt.NDArray[np.float64] | None:
        return None if value is None or len(value) != count else np.array([float(number) for number in value])

    slope, intercept = (fact("PixelValueTransformationSequence", keyword) for keyword in ("RescaleSlope", "RescaleIntercept"))
    values = frame.astype(np.float64) * float(1 if slope is None else slope) + float(intercept or 0)
    spacing = numbers(fact("PixelMeasuresSequence", "PixelSpacing"), 2)
    directions = numbers(fact("PlaneOrientationSequence", "ImageOrientationPatient"), 6)
    distance = fact("PixelMeasuresSequence", "SpacingBetweenSlices") or fact("PixelMeasuresSequence", "SliceThickness")
    number = dataset.get("InstanceNumber")
    return _Slice(
        name if frames == 1 else f"{name} frame {index + 1}",
        np.moveaxis(values, -1, 0).astype(np.float32),
        index if frames > 1 else None if number is None else float(number),
        numbers(fact("PlanePositionSequence", "ImagePositionPatient", of_all_frames=False), 3),
        None if directions is None else directions.reshape(2, 3),
        None if spacing is None else (float(spacing[0]), float(spacing[1])),
        None if distance is None else abs(float(distance)),
    )


def _stack(slices: Sequence[_Slice], place: str) -> SliceStack:
    slices, affine, notes = _sorted(slices, place)
    return SliceStack(np.stack([one.pixels for one in slices], axis=1), affine, tuple(notes))


def _sorted(slices: Sequence[_Slice], place: str) -> tuple[Sequence[_Slice], npt.NDArray[np.float64] | None, list[str]]:
    """Return slices in their order, the affine (3, 3) of their stack, and what is odd about it."""
    shapes = {one.pixels.shape: one.name for one in slices}
    if len(shapes) > 1:
        told = few([f"{shape} ({name})" for shape, name in shapes.items()])
        raise DataError(f"{place}: slices of {len(shapes)} shapes (C, rows, columns): {told}; expected one")
    first, notes = slices[0], list[str]()
    placed = all(one.position is not None and one.directions is not None for one in slices)
    distance, upward = first.distance, None if first.directions is None else np.cross(*first.directions)
    if placed and first.directions is not None:
        for one in slices[1:]:
            if one.directions is None or np.abs(one.directions - first.directions).max() > _SAME_DIRECTION:
                raise DataError(f"{place}: slices of several directions ({first.name} and {one.name}), expected one")
        normal = upward = np.cross(*first.directions)
        heights = {id(one): float(normal @ one.position) for one in slices if one.position is not None}
        slices = sorted(slices, key=lambda one: heights[id(one)])
        if len(slices) > 1:
            gaps = np.diff([heights[id(one)] for one in slices])
            distance = float(np.median(gaps))
            notes += _check_gaps(slices, gaps, place)
            low, high = slices[0].position, slices[-1].position
            if low is not None and high is not None:
                along = (high - low) / gaps.sum()
                if np.abs(along - normal).max() > _SAME_DIRECTION:
                    upward = along
                    notes.append("volumes whose slices are shifted against each other, as of a tilted gantry, which is not undone")
    elif len(slices) > 1:
        if any(one.number is None for one in slices):
            raise DataError(f"{place}: slices without a position or a number (such as {slices[0].name}), expected one to sort them by")
        slices = sorted(slices, key=lambda one: one.number or 0)
        notes.append("volumes whose slices have no position, so that they were sorted by their number")
    if first.directions is None or upward is None or first.spacing is None or not distance:
        return slices, None, notes
    along_row, along_column = first.directions
    down, right = first.spacing
    lps = np.stack([upward * distance, along_column * down, along_row * right], axis=1)
    return slices, _TO_RAS @ lps, notes


def _check_gaps(slices: Sequence[_Slice], gaps: npt.NDArray[np.float64], place: str) -> list[str]:
    usual = float(np.median(gaps))
    close = int(gaps.argmin())
    if gaps[close] <= _SAME_PLACE * gaps.max():
        names = f"{slices[close].name} and {slices[close + 1].name}"
        raise DataError(f"{place}: two slices at one place ({names}), expected one volume a series, not several times or echoes")
    wide = int(np.abs(gaps - usual).argmax())
    if abs(gaps[wide] - usual) > _UNEVEN * usual:
        return [f"volumes of slices {usual:g} mm apart with a step of {gaps[wide]:g} mm, where some may be missing"]
    return []
