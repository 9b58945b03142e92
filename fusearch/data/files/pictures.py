"""Images: one file a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.npz import read_array
from fusearch.data.files.text import one_line
from fusearch.errors import DataError

__all__ = ["IMAGES", "Images", "read_images"]

FloatArray = npt.NDArray[np.float32]

#: Suffixes of an image.
IMAGES = (".npy", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")

#: Weights of red, green and blue in grey (ITU-R 601, as pillow has them).
_GREY = np.array([0.299, 0.587, 0.114], np.float32)

#: At most so many names stand in one message.
_FEW = 3


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


def read_images(
    files: Sequence[Path | None], *, size: Sequence[int] | None = None, channels: int | None = None, axes: Sequence[int] | None = None
) -> Images:
    """Read images of one shape.

    Args:
        files: The file of each sample; None where it has no image.
        size: Height and width that all are brought to.
        channels: 1 (grey) or 3 (red, green, blue), that all are brought to.
        axes: Which axes of a `.npy` file with three are those of channels, height and width; left out, in this order.

    Raises:
        DataError: A file is missing or is no image, the shapes differ, or pillow, which reads PNG and resizes, is not installed.
    """
    files = [None if file is None else _as_here(file) for file in files]
    gone = [file for file in files if file is not None and not file.is_file()]
    if gone:
        names = ", ".join(repr(file.name) for file in gone[:_FEW]) + (", ..." if len(gone) > _FEW else "")
        count = f"{len(gone)} of {sum(file is not None for file in files)} images {'is' if len(gone) == 1 else 'are'} missing"
        raise DataError(f"{count} in {str(gone[0].parent)!r}: {names}{_near(gone[0])}")
    bits: dict[int, int] = {}
    stacks: list[str] = []
    shapes: dict[tuple[int, ...], list[str]] = {}
    images: dict[int, FloatArray] = {}
    for row, file in enumerate(files):
        if file is None:
            continue
        pixels, depth, frames = _read_image(file, axes)
        if np.isinf(pixels).any():
            raise DataError(f"{file.name}: an infinite value, expected finite numbers or NaN")
        if frames > 1:
            stacks.append(file.name)
        bits[depth] = bits.get(depth, 0) + 1
        images[row] = _fit(pixels, size, channels, file.name)
        shapes.setdefault(images[row].shape, []).append(file.name)
    if not images:
        raise DataError("no image is named, expected a file for at least one sample")
    if len(shapes) > 1:
        raise DataError(_differ(shapes))
    (shape,) = shapes
    values = np.full((len(files), *shape), np.nan, np.float32)
    for row, image in images.items():
        values[row] = image
    return Images(values, bits, tuple(stacks))


def _as_here(file: Path) -> Path:
    """Return a path that was written on Windows, with backslashes between folders, as it is here."""
    return Path(str(file).replace("\\", "/")) if "\\" in str(file) and not file.is_file() else file


def _near(file: Path) -> str:
    """Name a file that differs from a missing one by its ending or by case alone."""
    found = [] if not file.parent.is_dir() else [other.name for other in file.parent.iterdir() if other.is_file()]
    near = sorted(name for name in found if name.casefold() == file.name.casefold() or Path(name).stem == file.name)
    return f"; there is {near[0]!r}" if near else ""


def _differ(shapes: dict[tuple[int, ...], list[str]]) -> str:
    most = sorted(shapes.items(), key=lambda item: -len(item[1]))
    told = ", ".join(f"{shape} ({len(names)}, such as {names[0]!r})" for shape, names in most[:_FEW])
    told += ", ..." if len(most) > _FEW else ""
    keys = []
    if len({shape[1:] for shape in shapes}) > 1:
        height, width = most[0][0][1:]
        keys.append(f"`size: [{height}, {width}]`")
    if len({shape[0] for shape in shapes}) > 1:
        keys.append(f"`channels: {1 if min(shape[0] for shape in shapes) == 1 else 3}`")
    return f"images of {len(shapes)} shapes (C, H, W): {told}; {' and '.join(keys)} in the manifest would bring them together"


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
    image = _pillow(path.name)
    try:
        with image.open(path) as opened:
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


def _upright(picture: Any) -> Any:
    """Return a picture as it is meant to be seen: cameras store it as the sensor lay, and how to turn it."""
    from PIL import ImageOps

    return ImageOps.exif_transpose(picture)


def _fit(pixels: FloatArray, size: Sequence[int] | None, channels: int | None, name: str) -> FloatArray:
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
    try:
        from PIL import Image
    except ImportError:
        raise DataError(f"{name}: reading it needs pillow; expected `pip install pillow`, or .npy files of one size") from None
    return Image
