from __future__ import annotations

import os
from pathlib import Path

import pytest

from fusearch.layout import explanation_file, explanation_files, predictions_file, replace_file, weights_folder


@pytest.mark.parametrize("content", ["Größe\n", b"\x00\xff"])
def test_a_file_is_written_whole_and_its_folder_is_made(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "deep" / "file"
    replace_file(path, content)
    replace_file(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_what_cannot_be_written_leaves_what_stood_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    replace_file(path, "before")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, "after")
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_candidates_have_files_of_their_own(tmp_path: Path) -> None:
    assert predictions_file(tmp_path, "ab").relative_to(tmp_path).as_posix() == "predictions/ab.npz"
    assert weights_folder(tmp_path).name == "weights"
    assert explanation_files(tmp_path) == []
    for digest in ("b", "a"):
        replace_file(explanation_file(tmp_path, digest), "{}")
    assert [path.stem for path in explanation_files(tmp_path)] == ["a", "b"]
