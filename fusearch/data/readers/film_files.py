"""Films: one folder of frames, or one file, a sample, named in the column of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from fusearch.data.assembly.decoded import DecodedFiles
from fusearch.data.files.films import FILMS, FRAMES, frames_of, package_of_film, read_films
from fusearch.data.files.frames import TABLES
from fusearch.data.files.npz import read_array
from fusearch.data.readers.image_files import PictureKeys, note_depths, what_pictures_need
from fusearch.data.readers.named_files import read_named_files, spread
from fusearch.data.readers.reader import READERS, Reader
from fusearch.errors import DataError

__all__ = ["FilmKeys"]

#: Films whose first frames tell what brings all together.
_LOOKED_AT = 20


class FilmKeys(PictureKeys):
    """Where the films stand, and what they are brought to."""

    what = "film"
    brought_to = ("frames", *PictureKeys.brought_to)

    column: str | None = Field(
        default=None,
        description=f"Column of the table with the path of each sample's film ({', '.join(FILMS)}: pictures, in the order of the numbers "
        "in their names). An array is (T, H, W) or (T, H, W, C), unless `axes` says another order.",
    )
    frames: int | None = Field(
        default=None,
        description="Frames of a sample: of a longer film so many are taken, evenly from the first to the last. A shorter one ends before, "
        "and what is behind its end moves nothing. Left out: as many as the longest film has.",
        ge=1,
    )

    def packages_of(self, file: Path) -> tuple[str, ...]:
        """Return the package that reads a film."""
        package = package_of_film(file.name)
        return () if package is None else (package,)


def _read(files: Sequence[Path | None], arguments: Mapping[str, Any]) -> DecodedFiles:
    films = read_films(files, **arguments)
    return DecodedFiles(films.values, (*note_depths(films.bits, "films"), *_short_ones(films.lengths, arguments["frames"])))


def _short_ones(lengths: Sequence[int], frames: int | None) -> tuple[str, ...]:
    """Say so where most of what is held is behind the ends of the films."""
    longest, middle = frames or max(lengths), int(np.median(lengths))
    if longest <= 2 * middle:
        return ()
    why = f"`frames` is {frames}" if frames is not None else f"the longest film has {longest} frames"
    advice = "fewer `frames` would hold less" if frames is not None else f"`frames: {middle}` would take so many of each"
    return (f"{why}, and half of the films have {middle} or fewer: the rest is held as missing frames; {advice}",)


def _is_stack(file: Path) -> bool:
    """Whether a file holds an array that may be frames, and is no image with channels."""
    if file.suffix.lower() != ".npy":
        return False
    try:
        return read_array(file).values.ndim in (3, 4) and what_pictures_need([file]) is None
    except DataError:
        return False


READERS.add(
    "films",
    Reader(
        "films",
        TABLES,
        "a table that names a folder of frames, or a file, a sample",
        lambda source: read_named_files(source, _read),
        FilmKeys,
        ("column", "root", *FilmKeys.brought_to),
        fit=lambda folders: what_pictures_need([frames_of(folder)[0] for folder in spread(folders, _LOOKED_AT)]),
        inside=FRAMES,
        may_be=_is_stack,
    ),
)
