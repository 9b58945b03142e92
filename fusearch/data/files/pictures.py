"""Images: one file a sample."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.dicom import DICOM, is_dicom, read_picture
from fusearch.data.files.interpolation import through_window
from fusearch.data.files.npz import read_array
from fusearch.data.files.stacking import grey_or_colour, load_package, stack_files, told_shapes
from fusearch.data.files.text import one_line
from fusearch.errors import DataError

__all__ = ["IMAGES", "Images", "fit_picture", "package_of_image", "picture_size", "read_codes", "read_images", "write_picture"]

FloatArray = npt.NDArray[np.float32]

#: Suffixes of an image.
IMAGES = (".npy", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm")

#: Weights of red, green and blue in grey (ITU-R 601, as pillow has them).
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Images:
    """The images of a modality.

    Attributes:
        values: (N, C, H, W) float32, as they are stored (0 to 255 for 8 bits); NaN where a sample has no image.
        bits: Bits of a stored value -> how many images have so many.
        stacks: Names of the files that hold several pictures, of which the first was read.
    """

    values: FloatArray
    bits: dict[int, int]
    stacks: tuple[str, ...] = ()


def package_of_image(path: Path) -> str | None:
    """Return the package that reads a file; None: numpy does."""
    return None if path.suffix.lower() == ".npy" else "pydicom" if _is_dicom(path) else "pillow"


def read_images(
    files: Sequence[Path | None],
    *,
    size: Sequence[int] | None = None,
    channels: int | None = None,
    window: Sequence[float] | None = None,
    axes: Sequence[int] | None = None,
    places: Sequence[str] = (),
    make: Callable[[tuple[int, ...]], FloatArray] | None = None,
) -> Images:
    """Read images of one shape.

    Args:
        files: The file of each sample; None where it has no image.
        size: Height and width that all are brought to.
        channels: 1 (grey) or 3 (red, green, blue), that all are brought to.
        window: The least and the largest value that are told apart; what is between becomes 0 to 1.
        axes: Which axes of a `.npy` file with three are those of channels, height and width; left out, in this order.
        places: Where each sample's file is named, for messages.
        make: Makes the array of a shape; left out, in memory.

    Raises:
        DataError: A file is missing or is no image, the shapes differ, or pillow, which reads PNG and resizes, is not installed.
    """
    bits: dict[int, int] = {}
    stacks: list[str] = []

    def read(file: Path) -> FloatArray:
        pixels, depth, frames = _read_image(file, axes)
        if frames > 1:
            stacks.append(file.name)
        bits[depth] = bits.get(depth, 0) + 1
        fitted = fit_picture(pixels, size, channels, file.name)
        return fitted if window is None else through_window(fitted, window)

    values = stack_files(files, read, what="images", differ=_differ, places=places, make=make)
    return Images(values, bits, tuple(stacks))


def read_codes(path: Path) -> FloatArray:
    """Return the values of a mask, (1, H, W): of a picture with a palette the numbers of its colours.

    Raises:
        DataError: It cannot be read.
    """
    if path.suffix.lower() not in (".npy", *DICOM):
        with suppress(OSError, SyntaxError, ValueError), _quiet(), _pillow(path.name).open(path) as opened:
            if opened.mode in ("P", "1"):
                return np.asarray(opened, np.float32)[None]
    return _read_image(path, None)[0]


def picture_size(path: Path) -> tuple[int, int]:
    """Return height and width of a picture, as it is meant to be seen."""
    with _quiet(), _pillow(path.name).open(path) as opened:
        width, height = _upright(opened).size
    return height, width


def write_picture(values: npt.NDArray[np.uint8], path: Path) -> Path:
    """Write grey values, (H, W), as PNG, and return the file."""
    _pillow(path.name).fromarray(values).save(path)
    return path


def _differ(shapes: Mapping[tuple[int, ...], list[str]]) -> str:
    return told_shapes(shapes, f"images of {len(shapes)} shapes", "(C, H, W)", grey_or_colour)


def _read_image(path: Path, axes: Sequence[int] | None) -> tuple[FloatArray, int, int]:
    """Return the pixels (C, H, W), the bits of one value, and the number of pictures in the file."""
    if path.suffix.lower() == ".npy":
        array = read_array(path).values
        if array.ndim not in (2, 3) or array.dtype.kind not in "fiub":
            raise DataError(f"{path.name}: an array of {array.dtype} and shape {array.shape}, expected numbers as (H, W) or (C, H, W)")
        if array.ndim == 3 and axes is not None:
            array = array.transpose(axes)
        with np.errstate(over="ignore"):
            return (array if array.ndim == 3 else array[None]).astype(np.float32), 8 * array.dtype.itemsize, 1
    if _is_dicom(path):
        return read_picture(path)
    image = _pillow(path.name)
    try:
        with _quiet(), image.open(path) as opened:
            frames = 1 if opened.format == "MPO" else getattr(opened, "n_frames", 1)  # an MPO is a photo with a preview behind it
            picture = _upright(opened)
            plain = picture if picture.mode in ("L", "RGB", "I", "F") or picture.mode.startswith("I;16") else picture.convert("RGB")
            stored = np.asarray(plain)
    except (
        image.UnidentifiedImageError,
        OSError,
        SyntaxError,
        image.DecompressionBombError,
    ) as error:  # pillow reports a broken PNG as SyntaxError
        raise DataError(f"{path.name}: cannot be read as an image ({one_line(error)}), expected one of: {', '.join(IMAGES)}") from None
    pixels = stored.astype(np.float32)
    bits = 16 if plain.mode == "I" or plain.mode.startswith("I;16") else 8 * stored.dtype.itemsize  # pillow opens 16-bit PNG as 32 bits
    return (pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)), bits, frames


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what pillow warns of to itself: a file that is cut, or large for its bytes, is an error where it cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _is_dicom(path: Path) -> bool:
    """Whether a file says that it is DICOM, or has no suffix and is."""
    return path.suffix.lower() in DICOM or (not path.suffix and path.is_file() and is_dicom(path))


def _upright(picture: Any) -> Any:
    """Return a picture as it is meant to be seen: cameras store it as the sensor lay, and how to turn it."""
    from PIL import ImageOps

    return ImageOps.exif_transpose(picture)


def fit_picture(pixels: FloatArray, size: Sequence[int] | None, channels: int | None, name: str) -> FloatArray:
    """Bring pixels (C, H, W) to a size and a number of channels.

    Raises:
        DataError: The channels cannot be made of its own, or pillow, which resizes, is not installed.
    """
    if channels == 1 and len(pixels) == 3:
        pixels = np.tensordot(_GREY, pixels, axes=1)[None]
    if channels == 3 and len(pixels) == 1:
        pixels = np.repeat(pixels, 3, axis=0)
    if channels is not None and len(pixels) != channels:
        raise DataError(f"{name}: {len(pixels)} channels, which `channels: {channels}` cannot be made of, expected 1 or 3")
    if size is not None and pixels.shape[1:] != tuple(size):
        image = _pillow(name)
        height, width = size
        bilinear = image.Resampling.BILINEAR
        pixels = np.stack([np.asarray(image.fromarray(channel).resize((width, height), bilinear), np.float32) for channel in pixels])
    return np.ascontiguousarray(pixels, np.float32)


def _pillow(name: str) -> Any:
    load_package("PIL", name)
    from PIL import Image

    return Image
