"""`fusearch serve`: what is refused before anything listens, and a server that answers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs fusearch[serve]")
pytest.importorskip("uvicorn", reason="needs fusearch[serve]")


def test_no_bundle_is_one_line(tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    done = fusearch("serve", tmp_path)
    assert done.code == 2
    assert done.err.startswith(f"error: no bundle in '{tmp_path}'")


def test_a_missing_extra_is_one_line(tmp_path: Path, fusearch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = fusearch("serve", tmp_path)
    assert (done.code, done.err) == (
        2,
        "error: serving needs fastapi and uvicorn, which are not installed: pip install 'fusearch[serve]'\n",
    )


def test_it_is_bound_to_this_machine_unless_told_otherwise(fusearch: Callable[..., Any]) -> None:
    page = " ".join(fusearch("serve", "--help").out.split())
    assert "[default: 127.0.0.1]" in page
