"""Films: a folder of frames, or one array, a sample. Axes: channels C, frames T, height H, width W (decision 0093)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.interpolation import through_window
from fusearch.data.files.npz import read_array
from fusearch.data.files.pictures import IMAGES, fit_picture, read_images
from fusearch.data.files.stacking import few, grey_or_colour, stack_files, told_shapes
from fusearch.errors import DataError

__all__ = ["FILMS", "FRAMES", "Films", "frames_of", "package_of_film", "read_films"]

FloatArray = npt.NDArray[np.float32]

#: Suffixes of a frame in a folder, and what a film may be.
FRAMES = tuple(suffix for suffix in IMAGES if suffix not in (".npy", ".dcm"))
FILMS = (".npy", "a folder of frames")

#: Axes of an array with four, where nothing else is said: (T, H, W, C), as cameras and readers of films give them.
_CHANNELS_LAST = (3, 0, 1, 2)


@dataclass(frozen=True)
class Films:
    """The films of a modality.

    Attributes:
        values: (N, C, T, H, W) float32, as they are stored; NaN behind the last frame, and where a sample has no film.
        bits: Bits of a stored value -> how many films have such frames.
        lengths: Frames of each film that was read, as it is stored.
    """

    values: FloatArray
    bits: dict[int, int]
    lengths: tuple[int, ...]


def package_of_film(name: str) -> str | None:
    """Return the package that reads a film of that name; None: numpy does."""
    return None if name.lower().endswith(".npy") else "pillow"


def frames_of(folder: Path) -> list[Path]:
    """Return the frames of a folder in the order of the numbers in their names, so that `frame10` follows `frame9`.

    Raises:
        DataError: It holds none.
    """
    found = [path for path in folder.iterdir() if path.suffix.lower() in FRAMES and not path.name.startswith(".") and path.is_file()]
    if not found:
        others = sorted(path.name for path in folder.iterdir())
        has = f"holds {few([repr(name) for name in others])}" if others else "is empty"
        raise DataError(f"{folder.name}: the folder {has}, expected frames that end in one of: {', '.join(FRAMES)}")
    return sorted(found, key=lambda path: ([int(part) if part.isdecimal() else part for part in _parts(path.stem)], path.name))


def _parts(name: str) -> list[str]:
    """Return the texts and the numbers of a name, in turn, a text first."""
    return re.split(r"(\d+)", name.casefold())


def read_films(
    files: Sequence[Path | None],
    *,
    frames: int | None = None,
    size: Sequence[int] | None = None,
    channels: int | None = None,
    window: Sequence[float] | None = None,
    axes: Sequence[int] | None = None,
    places: Sequence[str] = (),
    make: Callable[[tuple[int, ...]], FloatArray] | None = None,
) -> Films:
    """Read films of one size. What is behind the last frame of a film is NaN.

    Args:
        files: The folder of frames, or the `.npy` file, of each sample; None where it has no film.
        frames: Frames of a sample: of longer films so many are taken, evenly from the first to the last. Left out: as many as the longest.
        size: Height and width that all frames are brought to.
        channels: 1 (grey) or 3 (red, green, blue), that all are brought to.
        window: The least and the largest value that are told apart; what is between becomes 0 to 1.
        axes: Which axes of a `.npy` file with four are those of channels, frames, height and width; left out, it is (T, H, W, C).
        places: Where each sample's film is named, for messages.
        make: Makes the array of a shape; left out, in memory.

    Raises:
        DataError: A film is missing or cannot be read, frames or films differ in size, or the package that reads them is not installed.
    """
    lengths: list[int] = []
    bits: dict[int, int] = {}
    count = frames or max([1, *(_length_of(file, axes) for file in dict.fromkeys(files) if file is not None)])

    def read(file: Path) -> FloatArray:
        values, length, depths = _read_film(file, count, axes, {"size": size, "channels": channels, "window": window})
        lengths.append(length)
        for depth in depths:
            bits[depth] = bits.get(depth, 0) + 1
        return np.pad(values, [(0, 0), (0, count - values.shape[1]), (0, 0), (0, 0)], constant_values=np.nan)

    values = stack_files(files, read, what="films", differ=_differ, places=places, folders=True, make=make)
    return Films(values, bits, tuple(lengths))


def _differ(shapes: Mapping[tuple[int, ...], list[str]]) -> str:
    frames = {shape[:1] + shape[2:]: names for shape, names in shapes.items()}  # all have as many frames
    return told_shapes(frames, f"films of {len(frames)} shapes of a frame", "(C, H, W)", grey_or_colour)


def _length_of(file: Path, axes: Sequence[int] | None) -> int:
    """Return how many frames a film has; of one that cannot be read 1, which reading it will tell."""
    try:
        return len(frames_of(file)) if file.is_dir() else _open_array(file, axes).shape[1]
    except (DataError, OSError):
        return 1


def _open_array(path: Path, axes: Sequence[int] | None) -> npt.NDArray[Any]:
    """Return the array of a film as (C, T, H, W); what it holds is not looked at."""
    if not path.name.lower().endswith(".npy"):
        raise DataError(f"{path.name}: cannot be read as a film, expected one of: {', '.join(FILMS)}")
    array = read_array(path).values
    if array.ndim not in (3, 4) or array.dtype.kind not in "fiub" or 0 in array.shape:
        raise DataError(f"{path.name}: an array of {array.dtype} and shape {array.shape}, expected numbers as (T, H, W) or (T, H, W, C)")
    return array[None] if array.ndim == 3 else array.transpose(_CHANNELS_LAST if axes is None else axes)


def _read_film(path: Path, count: int, axes: Sequence[int] | None, brought_to: Mapping[str, Any]) -> tuple[FloatArray, int, set[int]]:
    """Return at most `count` frames of a film, (C, T, H, W), how many it has, and the depths of their values."""
    if path.is_dir():
        names = frames_of(path)
        try:
            images = read_images([names[frame] for frame in _evenly(len(names), count)], **brought_to)
        except DataError as error:
            raise DataError(*(f"{path.name}: {fault.replace('images of', 'frames of', 1)}" for fault in error.faults)) from None
        return np.moveaxis(images.values, 0, 1), len(names), set(images.bits)
    array = _open_array(path, axes)
    size, channels, window = (brought_to[key] for key in ("size", "channels", "window"))
    with np.errstate(over="ignore"):
        taken = array[:, _evenly(array.shape[1], count)].astype(np.float32)
    fitted = np.stack([fit_picture(taken[:, frame], size, channels, path.name) for frame in range(taken.shape[1])], axis=1)
    return fitted if window is None else through_window(fitted, window), array.shape[1], {8 * array.dtype.itemsize}


def _evenly(length: int, count: int) -> list[int]:
    """Return at most `count` of `length` frames, evenly from the first to the last; of one, the middle one."""
    if count == 1:
        return [length // 2]
    return [int(frame) for frame in np.linspace(0, length - 1, min(length, count)).round()]
