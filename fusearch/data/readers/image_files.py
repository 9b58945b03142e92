"""Images: one file a sample, named in the column of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, model_validator

from fusearch.data.assembly.decoded import DecodedFiles
from fusearch.data.files.frames import TABLES
from fusearch.data.files.pictures import IMAGES, package_of_image, read_images
from fusearch.data.readers.named_files import NamedFileKeys, check_window, read_named_files, spread
from fusearch.data.readers.reader import READERS, Reader
from fusearch.errors import DataError

__all__ = ["ImageKeys", "PictureKeys", "note_depths", "what_pictures_need"]

#: Files that tell which keys a folder of images needs; an array of more channels is no image.
_LOOKED_AT, _MOST_CHANNELS = 100, 4


class PictureKeys(NamedFileKeys):
    """What pictures are brought to, each a file of its own or a frame of a film."""

    brought_to: ClassVar[tuple[str, ...]] = ("size", "channels", "window")

    size: list[int] | None = Field(
        default=None,
        description="Height and width that all are resized to (bilinear); left out, they must have one size.",
        min_length=2,
        max_length=2,
    )
    channels: int | None = Field(
        default=None, description="1 (grey) or 3 (colour), that all are brought to; left out, they must have as many."
    )
    window: list[float] | None = Field(
        default=None,
        description="The least and the largest value that are told apart; what is between becomes 0 to 1. Left out, values stay.",
        min_length=2,
        max_length=2,
    )

    @model_validator(mode="after")
    def _legal(self) -> PictureKeys:
        if self.channels not in (None, 1, 3):
            raise ValueError(f"channels is {self.channels}, expected 1 (grey) or 3 (colour)")
        if self.size is not None and min(self.size) < 1:
            raise ValueError(f"size is {self.size}, expected a height and a width of at least 1")
        check_window(self.window)
        return self


class ImageKeys(PictureKeys):
    """Where the files of the images stand, and what they are brought to."""

    what = "image"

    column: str | None = Field(default=None, description=f"Column of the table with the path of each sample's image ({', '.join(IMAGES)}).")

    def packages_of(self, file: Path) -> tuple[str, ...]:
        """Return the package that reads an image."""
        package = package_of_image(file)
        return () if package is None else (package,)


def _read(files: Sequence[Path | None], arguments: Mapping[str, Any]) -> DecodedFiles:
    images = read_images(files, **arguments)
    return DecodedFiles(images.values, (*note_depths(images.bits, "images"), *_stacks(images.stacks)))


def _stacks(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        return ()
    return (f"{len(names)} files hold several pictures (such as {names[0]!r}), of which the first was read; expected one picture a file",)


def note_depths(bits: Mapping[int, int], what: str) -> tuple[str, ...]:
    """Say so where pictures have values of different depth: bits of a value -> how many have so many."""
    if len(bits) < 2:
        return ()
    told = " and ".join(f"{count} of {depth} bits" for depth, count in sorted(bits.items()))
    return (f"{what} of different depth: {told}, whose values are on different scales; expected one depth",)


def what_pictures_need(files: Sequence[Path]) -> dict[str, Any] | None:
    """Return the size and the channels that would bring images together; None of arrays that are no images."""
    shapes: Counter[tuple[int, ...]] = Counter()
    for file in spread(files, _LOOKED_AT):
        try:
            shapes[read_images([file]).values.shape[1:]] += 1
        except DataError:
            if file.suffix.lower() == ".npy":
                return None
    if any(shape[0] > _MOST_CHANNELS for shape in shapes):
        return None
    keys: dict[str, Any] = {}
    if len({shape[1:] for shape in shapes}) > 1:
        keys["size"] = list(shapes.most_common(1)[0][0][1:])
    if len({shape[0] for shape in shapes}) > 1:
        keys["channels"] = 1 if min(shape[0] for shape in shapes) == 1 else 3
    return keys


READERS.add(
    "images",
    Reader(
        "images",
        TABLES,
        "a table that names a file a sample",
        lambda source: read_named_files(source, _read),
        ImageKeys,
        ("column", "root", *ImageKeys.brought_to),
        IMAGES,
        what_pictures_need,
    ),
)
