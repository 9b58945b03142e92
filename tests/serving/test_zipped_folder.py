"""A zipped folder is unpacked, or refused before anything of it is written."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusearch.errors import DataError
from fusearch.serving.zipped_folder import Unpacker

ZEROS = b"\0" * 100_000


def zipped(files: Mapping[str, bytes], *, packed: int = zipfile.ZIP_DEFLATED, mode: int = 0) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, found in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr, member.compress_type = mode << 16, packed
            archive.writestr(member, found)
    return content.getvalue()


def test_files_come_by_their_names_and_hidden_ones_do_not() -> None:
    files = {"us/": b"", "us/frame10.png": b"b", "us/Frame 9.png": b"a", "us/.DS_Store": b"x", "__MACOSX/us/._frame10.png": b"x"}
    assert Unpacker(2).unpack(zipped(files)) == {"frame10.png": b"b", "Frame 9.png": b"a"}


def patched(content: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    place = content.index(signature) + offset
    return content[:place] + value + content[place + len(value) :]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no zip", "cannot be unpacked ('File is not a zip file'), expected a zip"),
        (zipped({}), "it holds no files, expected the files of one folder"),
        (zipped({".hidden": b"x"}), "it holds no files"),
        (zipped({"a/1.dcm": b"x", "b/1.dcm": b"x"}), "it holds 2 folders with files, expected the files of one folder"),
        (zipped({"../../1.dcm": b"x"}), "'../../1.dcm' leads out of the folder, expected the plain names of files"),
        (zipped({"/etc/passwd": b"x"}), "'/etc/passwd' leads out of the folder"),
        (zipped({"a\\..\\1.dcm": b"x"}), "leads out of the folder"),
        (zipped({"C:1.dcm": b"x"}), "'C:1.dcm' leads out of the folder"),
        (zipped({".": b"x"}), "'.' leads out of the folder"),
        (zipped({"1.dcm": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777), "'1.dcm' is a link, or no file"),
        (zipped({"1.dcm": b""}, mode=stat.S_IFIFO | 0o600), "'1.dcm' is a link, or no file"),
        (zipped({"1.dcm": b"x", "1.DCM": b"x"}), "'1.DCM' is there twice"),
        (zipped({"a" * 201: b"x"}), "is too long, or has characters"),
        (zipped({"a\n.dcm": b"x"}), r"the name 'a\n.dcm' is too long, or has characters"),
        (zipped({"1.dcm": b"x"}, packed=zipfile.ZIP_LZMA), "'1.dcm' is encrypted, or packed by another way than deflate"),
        (patched(zipped({"1.dcm": b"x"}), b"PK\1\2", 8, b"\1\0"), "'1.dcm' is encrypted"),
        (zipped({"inner.dcm": zipped({"1.dcm": b"x"})}), "'inner.dcm' is a zip inside of it"),
        (zipped({"1.dcm": ZEROS}), "its files have more than 5000 bytes, expected no more in a request (`--max-unpacked`)"),
        (zipped({f"{place}.dcm": ZEROS[:600] for place in range(9)}), "its files have more than 5000 bytes"),
        (zipped(dict.fromkeys(map(str, range(10_001)), b""), packed=zipfile.ZIP_STORED), "it holds 10001 files, expected at most 10000"),
        (patched(zipped({"1.dcm": ZEROS}), b"PK\1\2", 24, struct.pack("<I", 10)), "cannot be unpacked"),  # it says 10 bytes
    ],
)
def test_what_is_refused_says_why(content: bytes, message: str) -> None:
    with pytest.raises(DataError) as refused:
        Unpacker(5000).unpack(content)
    assert message in str(refused.value)


def test_the_bytes_are_those_of_all_folders_of_a_request() -> None:
    unpacker, folder = Unpacker(1000), zipped({"1.dcm": ZEROS[:600]})
    unpacker.unpack(folder)
    with pytest.raises(DataError, match="more than 1000 bytes"):
        unpacker.unpack(folder)


@settings(max_examples=60, deadline=None, database=None)
@given(place=st.integers(0, 400), value=st.binary(min_size=1, max_size=4), cut=st.integers(0, 400))
def test_no_damage_is_a_defect(place: int, value: bytes, cut: int) -> None:
    content = zipped({"a/1.dcm": b"x" * 50, "a/2.dcm": ZEROS[:300]})
    try:
        files = Unpacker(5000).unpack(content[:place] + value + content[place + len(value) :][: len(content) - cut])
    except DataError:
        return
    assert sum(map(len, files.values())) <= 5000
