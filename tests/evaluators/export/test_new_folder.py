from __future__ import annotations

import resource
from pathlib import Path

import pytest

from fusearch.errors import ExportError
from fusearch.evaluators.export.new_folder import new_folder


def test_the_folder_appears_at_the_end_of_the_block(tmp_path: Path) -> None:
    out = tmp_path / "parent" / "bundle"
    with new_folder(out) as draft:
        (draft / "a.txt").write_text("a")
        assert not out.exists()
        assert draft.parent == out.parent
    assert [path.name for path in out.parent.iterdir()] == ["bundle"]
    assert (out / "a.txt").read_text() == "a"
    assert out.stat().st_mode & 0o777 == out.parent.stat().st_mode & 0o777


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_what_exists_is_refused(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "bundle"
    if kind == "folder":
        out.mkdir()
    elif kind == "file":
        out.write_text("mine")
    else:
        out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ExportError, match="bundle' exists; expected the name of a folder to make"), new_folder(out):
        pytest.fail("the block must not run")


def test_a_parent_that_cannot_be_written_to_is_named_before_the_block_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with (
        pytest.raises(ExportError, match=r"cannot write .*bundle': (Not a directory|File exists)"),
        new_folder(tmp_path / "file" / "bundle"),
    ):
        pytest.fail("the block must not run")


def write_until(out: Path, error: BaseException | None) -> None:
    with new_folder(out) as draft:
        (draft / "small").write_bytes(bytes(10))
        if error is not None:
            raise error
        (draft / "large").write_bytes(bytes(10_000))


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises(ExportError) as caught:
            write_until(tmp_path / "bundle", None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(caught.value) == f"cannot write {str(tmp_path / 'bundle')!r}: File too large; nothing was kept"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("other")])
def test_any_other_error_leaves_nothing_and_passes(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        write_until(tmp_path / "bundle", error)
    assert list(tmp_path.iterdir()) == []
