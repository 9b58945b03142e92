"""Volumes: one file, or one folder of DICOM slices, a sample, named in the column of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from fusearch.data.assembly.decoded import DecodedFiles
from fusearch.data.files.frames import TABLES
from fusearch.data.files.volumes import VOLUMES, package_of_volume, read_volumes
from fusearch.data.readers.named_files import NamedFileKeys, check_window, read_named_files, spread
from fusearch.data.readers.reader import READERS, Reader
from fusearch.errors import DataError

__all__ = ["VolumeKeys"]

#: Files that tell which keys a folder of volumes needs.
_LOOKED_AT = 40


class VolumeKeys(NamedFileKeys):
    """Where the files of the volumes stand, and what they are brought to."""

    what = "volume"
    brought_to = ("size", "spacing", "window", "channels")

    column: str | None = Field(
        default=None, description=f"Column of the table with the path of each sample's volume ({', '.join(VOLUMES)})."
    )
    spacing: list[float] | None = Field(
        default=None,
        description="Millimetres between positions along depth, height and width, that all volumes are interpolated to (linear) from what "
        "their files say; left out, they stay as they are.",
        min_length=3,
        max_length=3,
    )
    size: list[int] | None = Field(
        default=None,
        description="Depth, height and width that all volumes are brought to: with `spacing` by cropping and padding around the centre, "
        "without by stretching (linear); left out, they must have one size.",
        min_length=3,
        max_length=3,
    )
    window: list[float] | None = Field(
        default=None,
        description="The least and the largest value that are told apart (`[-160, 240]` for soft tissue in CT); what is between becomes "
        "0 to 1. Left out, values stay.",
        min_length=2,
        max_length=2,
    )
    channels: int | None = Field(
        default=None,
        description="How many channels of each file are taken, from the first on; of a NIfTI file with four axes the last one holds them. "
        "Left out, all, and all files must have as many.",
        ge=1,
    )

    def packages_of(self, file: Path) -> tuple[str, ...]:
        """Return the package that reads a volume."""
        package = package_of_volume(file.name)
        return () if package is None else (package,)

    @model_validator(mode="after")
    def _legal(self) -> VolumeKeys:
        if self.size is not None and min(self.size) < 1:
            raise ValueError(f"size is {self.size}, expected a depth, a height and a width of at least 1")
        if self.spacing is not None and min(self.spacing) <= 0:
            raise ValueError(f"spacing is {self.spacing}, expected millimetres above 0")
        check_window(self.window)
        return self


def _read(files: Sequence[Path | None], arguments: Mapping[str, Any]) -> DecodedFiles:
    volumes = read_volumes(files, **arguments)
    return DecodedFiles(volumes.values, volumes.notes)


def _needed(files: Sequence[Path]) -> dict[str, Any] | None:
    """Return the size that would bring volumes together; None of arrays that are no volumes."""
    shapes: Counter[tuple[int, ...]] = Counter()
    for file in spread(files, _LOOKED_AT):
        try:
            shapes[read_volumes([file]).values.shape[2:]] += 1
        except DataError:
            if file.suffix.lower() == ".npy":
                return None
    return {"size": list(shapes.most_common(1)[0][0])} if len(shapes) > 1 else {}


READERS.add(
    "volumes",
    Reader(
        "volumes",
        TABLES,
        "a table that names a file a sample",
        lambda source: read_named_files(source, _read),
        VolumeKeys,
        ("column", "root", *VolumeKeys.brought_to),
        VOLUMES,
        _needed,
        (".dcm",),
    ),
)
