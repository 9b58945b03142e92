"""Samples of one file each, read one after the other into one array."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError

__all__ = ["EXTRAS", "few", "grey_or_colour", "load_package", "named_file", "stack_files", "told_shapes"]

FloatArray = npt.NDArray[np.float32]

#: Package that reads a format -> extra of fusearch that brings it (decision 0109); scipy comes with the core, though not with a bundle.
EXTRAS = {
    "PIL": "images",
    "nibabel": "volumes",
    "openpyxl": "excel",
    "pyarrow": "parquet",
    "pydicom": "volumes",
    "pyedflib": "signals",
    "soundfile": "audio",
    "tokenizers": "text",
    "transformers": "text",
}

#: Package -> what installs it, where that has another name.
_DISTRIBUTIONS = {"PIL": "pillow"}

#: At most so many names, and so many faults of files, stand in one message.
_FEW, _FAULTS = 3, 10


def few(names: Sequence[str]) -> str:
    """Return the first of some names, for a message."""
    return ", ".join(names[:_FEW]) + (", ..." if len(names) > _FEW else "")


def named_file(root: Path, name: str | None) -> Path | None:
    """Return the file of a name in a table, None of none; one that was written on Windows may have backslashes between folders."""
    if name is None:
        return None
    file = root / name
    return root / name.replace("\\", "/") if "\\" in name and not file.exists() else file


def load_package(package: str, name: str, *, work: str = "reading") -> Any:
    """Import a package that reads a format, or writes it, as `work` says.

    Raises:
        DataError: It is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        asked = _DISTRIBUTIONS.get(package, package.partition(".")[0])
        told = f"expected `pip install {asked}`"
        if package in EXTRAS:
            told = f"expected `pip install 'fusearch[{EXTRAS[package]}]'`, or `pip install {asked}` alone"
        raise DataError(f"{name}: {work} it needs {asked}; {told}") from None


def stack_files(
    files: Sequence[Path | None],
    read: Callable[[Path], FloatArray],
    *,
    what: str,
    differ: Callable[[Mapping[tuple[int, ...], list[str]]], str],
    places: Sequence[str] = (),
    folders: bool = False,
    make: Callable[[tuple[int, ...]], FloatArray] | None = None,
) -> FloatArray:
    """Read the file of each sample into one array, (N, ...), NaN where a sample has none. A file that several samples name is read once.

    Args:
        files: The file of each sample; None where it has none.
        read: Reads one.
        what: What they are, in the plural.
        differ: Says what is wrong with samples of several shapes, from shape -> names of files.
        places: Where each sample's file is named, for messages.
        folders: Whether a folder may stand in place of a file.
        make: Makes the array of a shape; left out, in memory.

    Raises:
        DataError: A file is missing or cannot be read (a fault for each, ten at most), or the shapes differ.
    """
    _refuse_missing(files, what, folders)
    first_of: dict[Path, int] = {}
    shapes: dict[tuple[int, ...], list[str]] = {}
    faults: list[str] = []
    values: FloatArray | None = None
    for row, file in enumerate(files):
        if file is None:
            continue
        if file in first_of:
            if values is not None:
                values[row] = values[first_of[file]]
            continue
        first_of[file] = row
        try:
            sample = read(file)
            if np.isinf(sample).any():
                raise DataError(f"{file.name}: an infinite value, expected finite numbers or NaN")
        except DataError as error:
            faults += [f"{places[row]}: {fault}" if places else fault for fault in error.faults]
            if len(faults) >= _FAULTS:
                break
            continue
        shapes.setdefault(sample.shape, []).append(file.name)
        if values is None:
            shape = (len(files), *sample.shape)
            values = np.empty(shape, np.float32) if make is None else make(shape)
        if len(shapes) == 1:
            values[row] = sample
    if faults:
        raise DataError(*faults)
    for row, file in enumerate(files):
        if file is None and values is not None:
            values[row] = np.nan
    if values is None:
        raise DataError(f"no file of {what} is named, expected one for at least one sample")
    if len(shapes) > 1:
        raise DataError(differ(shapes))
    return values


def told_shapes(shapes: Mapping[tuple[int, ...], list[str]], what: str, axes: str, channels: Callable[[Sequence[int]], int]) -> str:
    """Say what is wrong with samples of several shapes (channels, sizes), and which keys of a manifest would mend it: for `stack_files`.

    Args:
        shapes: Shape -> names of files.
        what: What has so many of them, such as `images of`.
        axes: The axes of a shape by their letters.
        channels: Chooses how many channels all could have, given those that there are.
    """
    most = sorted(shapes.items(), key=lambda item: -len(item[1]))
    told = few([f"{shape} ({len(names)}, such as {names[0]!r})" for shape, names in most])
    keys = []
    if len({shape[1:] for shape in shapes}) > 1:
        keys.append(f"`size: {list(most[0][0][1:])}`")
    if len(found := {shape[0] for shape in shapes}) > 1:
        keys.append(f"`channels: {channels(sorted(found))}`")
    return f"{what} {axes}: {told}; {' and '.join(keys)} in the manifest would bring them together"


def grey_or_colour(channels: Sequence[int]) -> int:
    """Return how many channels pictures of several numbers of them can be brought to: 1 where one of them is grey, else 3."""
    return 1 if min(channels) == 1 else 3


def _refuse_missing(files: Sequence[Path | None], what: str, folders: bool) -> None:
    named = [file for file in files if file is not None]
    gone = [file for file in named if not (file.exists() if folders else file.is_file())]
    if gone:
        names = few([repr(file.name) for file in gone])
        count = f"{len(gone)} of {len(named)} {what} {'is' if len(gone) == 1 else 'are'} missing"
        raise DataError(f"{count} in {str(gone[0].parent)!r}: {names}{_near(gone[0])}")


def _near(file: Path) -> str:
    """Name a file that differs from a missing one by its ending or by case alone."""
    found = [] if not file.parent.is_dir() else [other.name for other in file.parent.iterdir() if other.is_file()]
    near = sorted(name for name in found if name.casefold() == file.name.casefold() or Path(name).stem == file.name)
    return f"; there is {near[0]!r}" if near else ""
