"""A Python file is run as a module and leaves nothing behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fusearch.python_file import import_file

SOURCE = """
from __future__ import annotations
from dataclasses import dataclass
import neighbour

@dataclass
class Point:
    x: float = neighbour.X
"""


def test_a_file_with_a_dataclass_and_a_neighbour_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "point.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "neighbour.py").write_text("X = 2.5", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    module = import_file(tmp_path / "point.py", "a_point")
    sys.modules.pop("neighbour")
    assert module.Point().x == 2.5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["neighbour.py", "point.py"]
    assert ("a_point" in sys.modules, sys.dont_write_bytecode) == (False, False)


def test_a_file_that_fails_leaves_nothing_behind_either(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0", encoding="utf-8")
    before = sys.dont_write_bytecode
    with pytest.raises(ZeroDivisionError):
        import_file(tmp_path / "broken.py", "broken_file")
    assert ("broken_file" in sys.modules, sys.dont_write_bytecode) == (False, before)
    (tmp_path / "notes.txt").write_text("1", encoding="utf-8")
    with pytest.raises(ImportError, match=r"notes\.txt is no Python file"):
        import_file(tmp_path / "notes.txt", "notes")
