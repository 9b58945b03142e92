"""Archives that would unpack to far more than they are: refused before anything is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from fusearch.errors import DataError

__all__ = ["refuse_bomb"]


def refuse_bomb(path: Path, *, most: int, times: int, expected: str) -> None:
    """Refuse a zip archive whose parts, as its directory says, are too large for what it is; no part is unpacked.

    Python unpacks no more of a part than the directory says, so that one which lies is cut off there.

    Args:
        path: The file; one that is no zip archive is left to who reads it.
        most: Bytes that any archive may unpack to.
        times: More bytes than that may be unpacked only where they are at most so many times those of the file.
        expected: What was expected, for the message.

    Raises:
        DataError: It would unpack to more.
        zipfile.BadZipFile: Its directory is broken.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    packed = path.stat().st_size
    if size > max(most, times * packed):
        raise DataError(f"{path.name}: it would unpack to {size:,} bytes, {size // packed:,} times its own, expected {expected}")
