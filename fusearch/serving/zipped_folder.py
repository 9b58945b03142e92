"""A folder of a request: a zip of the slices of a volume, or of the frames of a film (decision 0115)."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from pathlib import PurePosixPath

from fusearch.errors import DataError

__all__ = ["ZIP", "Unpacker"]

#: How a zipped folder ends.
ZIP = ".zip"

#: Most files of a folder, and most bytes of a file's name.
_MOST_FILES, _LONGEST_NAME = 10_000, 200

_PACKED_BY = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

#: What zipfile raises for an archive that is not as it should be.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, IndexError, NotImplementedError, OSError, RuntimeError, ValueError)


class Unpacker:
    """Unpacks the folders of one request, all of them together within a number of bytes.

    Args:
        most: Most bytes of all files, unpacked.
    """

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def unpack(self, content: bytes) -> dict[str, bytes]:
        """Return the bytes of each file of a zipped folder, by its name without a folder. Hidden files are left out.

        Raises:
            DataError: It is no zip; what it says of its files is too much, or leads elsewhere; or they lie in several folders.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = self._members(archive)
                self._left -= sum(member.file_size for member in members.values())
                if self._left < 0:
                    raise DataError(f"its files have more than {self._most} bytes, expected no more in a request (`--max-unpacked`)")
                files = {name: archive.read(member) for name, member in members.items()}
        except _BROKEN as error:
            raise DataError(f"cannot be unpacked ({str(error)[:200]!a}), expected a zip") from None
        inner = next((name for name, found in files.items() if zipfile.is_zipfile(io.BytesIO(found))), None)
        if inner is not None:
            raise DataError(f"{inner!a} is a zip inside of it, expected the files themselves")
        return files

    @staticmethod
    def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        folders, twice = set[PurePosixPath](), set[str]()
        if len(archive.infolist()) > _MOST_FILES:
            raise DataError(f"it holds {len(archive.infolist())} files, expected at most {_MOST_FILES}")
        for member in archive.infolist():
            path, told = PurePosixPath(member.filename), ascii(member.filename[:100])
            if path.is_absolute() or ".." in path.parts or not path.name or not set("\\:").isdisjoint(member.filename):
                raise DataError(f"{told} leads out of the folder, expected the plain names of files")
            if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise DataError(f"{told} is a link, or no file, expected files")
            if member.is_dir() or any(part.startswith((".", "__MACOSX")) for part in path.parts):
                continue
            if member.flag_bits & 1 or member.compress_type not in _PACKED_BY:
                raise DataError(f"{told} is encrypted, or packed by another way than deflate")
            if len(path.name.encode(errors="replace")) > _LONGEST_NAME or not path.name.isprintable():
                raise DataError(f"the name {told} is too long, or has characters that cannot be printed")
            if path.name.casefold() in members:
                twice.add(told)
            members[path.name.casefold()] = member
            folders.add(path.parent)
        if len(folders) != 1:
            raise DataError(f"it holds {f'{len(folders)} folders with files' if folders else 'no files'}, expected the files of one folder")
        if twice:
            raise DataError(f"{min(twice)} is there twice")
        return {PurePosixPath(member.filename).name: member for member in members.values()}
