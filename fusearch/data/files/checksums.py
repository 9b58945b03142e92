"""Checksums of a folder: `SHA256SUMS`, in the form that `sha256sum --check` reads."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from fusearch.errors import DataError

__all__ = ["CHECKSUMS", "verify_checksums", "write_checksums"]

#: The file with the checksums; it lists every other file of its folder, and does not list itself.
CHECKSUMS = "SHA256SUMS"

#: A line: the digest, and the path from the folder.
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files that a folder holds now."""
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS)
    (folder / CHECKSUMS).write_text("".join(f"{_digest(folder / path)}  {path}\n" for path in paths), encoding="utf-8")


def verify_checksums(folder: Path) -> None:
    """Refuse a folder of which a file is not as it was written. Files that were added later do not count.

    Raises:
        DataError: A file was changed or is absent, or there are no checksums.
    """
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        raise DataError(f"{CHECKSUMS}: the file with the checksums of this folder is absent, export the model again") from None
    for number, line in enumerate(lines, start=1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise DataError(f"{CHECKSUMS}, line {number}: no checksum, export the model again")
        expected, name = found.groups()
        if not (folder / name).is_file():
            raise DataError(f"{name}: the file is absent, though {CHECKSUMS} lists it; export the model again")
        if _digest(folder / name) != expected:
            raise DataError(f"{name}: the file was changed after the export, its SHA-256 is not in {CHECKSUMS}; export the model again")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
