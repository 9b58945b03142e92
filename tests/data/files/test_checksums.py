"""A folder that was changed is refused, in one line that names the file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from fusearch.data.files.checksums import CHECKSUMS, verify_checksums, write_checksums
from fusearch.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a b.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "model.onnx").write_bytes(bytes(range(256)))
    write_checksums(tmp_path)
    return tmp_path


def test_what_the_user_adds_does_not_count(folder: Path) -> None:
    (folder / "predictions.csv").write_text("id\n", encoding="utf-8")
    verify_checksums(folder)
    write_checksums(folder)
    listed = [line.split("  ")[1] for line in (folder / CHECKSUMS).read_text().splitlines()]
    assert listed == [
        "files/a b.py",
        "model.onnx",
        "predictions.csv",
    ]


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_the_system_reads_the_file_too(folder: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", CHECKSUMS], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("name", ["files/a b.py", "model.onnx"])
def test_a_byte_more_or_another_is_told_with_the_file(name: str, folder: Path) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(DataError, match=f"^{name}: the file was changed after the export"):
        verify_checksums(folder)
    path.unlink()
    with pytest.raises(DataError, match=f"^{name}: the file is absent"):
        verify_checksums(folder)


def test_the_checksums_themselves(folder: Path) -> None:
    sums = folder / CHECKSUMS
    sums.write_text(sums.read_text() + "nonsense\n")
    with pytest.raises(DataError, match=r"^SHA256SUMS, line 3: no checksum"):
        verify_checksums(folder)
    sums.unlink()
    with pytest.raises(DataError, match=r"^SHA256SUMS: the file with the checksums of this folder is absent"):
        verify_checksums(folder)
