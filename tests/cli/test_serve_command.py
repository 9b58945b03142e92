"""`fusearch serve`: what is refused before anything listens, and a server that answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from scripts import load_script

ROOT = Path(__file__).parents[2]

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


def test_a_server_that_nobody_told_otherwise_answers_on_this_machine_alone(tmp_path: Path) -> None:
    bundle = load_script(ROOT / "tests" / "serving" / "conftest.py").write_bundle(tmp_path / "bundle")
    command = [sys.executable, "-m", "fusearch", "serve", str(bundle), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment) as server:
        try:
            assert server.stderr is not None
            lines = []
            for line in server.stderr:
                lines.append(line)
                if "running on" in line:
                    break
            [address] = re.findall(r"running on (http://127\.0\.0\.1:\d+)", "".join(lines))
            with urlopen(f"{address}/health") as answer:
                assert json.load(answer)["digest"] == "abc"
        finally:
            server.terminate()
