"""The run folder: its names stand in `layout` alone, and its files are written there alone, whole or not at all."""

from __future__ import annotations

import ast
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fusearch import layout
from fusearch.layout import (
    count_weights,
    explanation_file,
    explanation_files,
    member_weights_file,
    predictions_file,
    ray_session,
    replace_file,
)

PACKAGE = Path(layout.__file__).parent
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if path != Path(layout.__file__))
NAMES = {value for name in layout.__all__ if isinstance(value := getattr(layout, name), str)}
FILES = {name for name in NAMES if "." in name}
FOLDERS = NAMES - FILES

#: They fill a draft, the folder of an export or a large array, which appears as a whole.
WRITE_INTO_A_DRAFT = {
    "carried.py",
    "bundle.py",
    "checksums.py",
    "module_folder.py",
    "model_files.py",
    "decoded.py",
    "served_bundle.py",
    "text_networks.py",
}


def literals(tree: ast.AST) -> Iterator[str]:
    """Give every string of a module but the docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, documented)]
    docstrings = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def joined(tree: ast.AST) -> Iterator[str]:
    """Give every string that is joined to a path: `folder / "name"`, `folder.joinpath("name")`."""
    for node in ast.walk(tree):
        parts: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts = [node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("joinpath", "with_name", "join"):
            parts = node.args
        for part in parts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def calls(tree: ast.AST) -> Iterator[str]:
    """Give the methods that write or replace a file; `text.replace(old, new)` is none of them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name == "open" and any(isinstance(arg, ast.Constant) and set(str(arg.value)) & set("wx") for arg in node.args):
                yield name
            if name in ("write_text", "write_bytes", "mkstemp", "NamedTemporaryFile", "fsync"):
                yield name
            is_os = isinstance(node.func.value, ast.Name) and node.func.value.id == "os"
            if name == "replace" and (is_os or (len(node.args) == 1 and not node.keywords)):
                yield name


def test_its_names_stand_nowhere_else() -> None:
    found = []
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [(path.name, text) for text in literals(tree) if any(name in text for name in FILES)]
        found += [(path.name, text) for text in joined(tree) if text in FOLDERS]
    assert found == [], "take the name from fusearch.layout"


def test_nothing_else_writes_a_file() -> None:
    found = [
        (path.name, call)
        for path in SOURCES
        if path.name not in WRITE_INTO_A_DRAFT
        for call in calls(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == [], "use fusearch.layout.replace_file"


def test_the_names_on_disk_are_those_of_format_1(tmp_path: Path) -> None:
    assert {
        "config.yaml",
        "confirm.json",
        "driver.lock",
        "explain",
        "levels.json",
        "predictions",
        "ray",
        "report.html",
        "report.json",
        "report.md",
        "streams",
        "strategy.json",
        "strategy.npz",
        "study.journal",
        "study.journal.lock",
        "trials.csv",
        "weights",
    } == NAMES
    assert predictions_file(tmp_path, "abc") == tmp_path / "predictions" / "abc.npz"
    assert explanation_file(tmp_path, "abc") == tmp_path / "explain" / "abc.json"
    assert member_weights_file(tmp_path / "weights", "abc", fold=1, seed=0) == tmp_path / "weights" / "abc" / "fold1-seed0.safetensors"
    assert (ray_session(0), ray_session(1000)) == ("session-000", "session-1000")


def test_the_architecture_page_names_everything() -> None:
    page = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert [name for name in sorted(NAMES - {layout.JOURNAL_LOCK}) if name not in FOLDERS and name not in page] == []
    assert [name for name in sorted(FOLDERS) if f"    {name}/" not in page] == []


def test_weights_are_counted_and_drafts_are_not(tmp_path: Path) -> None:
    assert count_weights(tmp_path) == count_weights(None) == {"networks": 0, "designs": 0, "bytes": 0}
    for design, fold, size in (("a", 0, 10), ("a", 1, 20), ("b", 0, 5)):
        file = member_weights_file(tmp_path / "weights", design, fold=fold, seed=0)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"w" * size)
    (file.parent / f".{file.name}.0123abcd.part").write_bytes(b"w")
    assert count_weights(tmp_path) == {"networks": 3, "designs": 2, "bytes": 35}


def test_explanations_come_in_order_and_drafts_do_not_count(tmp_path: Path) -> None:
    assert explanation_files(tmp_path) == []
    (tmp_path / "explain").mkdir()
    for name in ("b.json", "a.json", ".c.json.0123abcd.part"):
        (tmp_path / "explain" / name).touch()
    assert explanation_files(tmp_path) == [explanation_file(tmp_path, "a"), explanation_file(tmp_path, "b")]


@pytest.mark.parametrize("content", ["größer\n", "größer\n".encode(), "", b""])
def test_a_file_is_written_and_replaced(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "file"
    for before in (None, b"longer than what comes after it"):
        if before is not None:
            path.write_bytes(before)
        replace_file(path, content)
        assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
        assert list(tmp_path.iterdir()) == [path]


def test_what_is_written_is_on_the_disk_before_it_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced = tmp_path / "file", []

    def fsync(number: int) -> None:
        synced.append((os.fstat(number).st_size, path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    replace_file(path, "whole")
    assert synced == [(5, False)]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    path = tmp_path / "file"
    replace_file(path, "old")

    def fail(number: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error)):
        replace_file(path, "new")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_its_mode_is_that_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    replace_file(tmp_path / "file", "")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode
