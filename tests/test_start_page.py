"""`docs/start.md` holds word by word: its commands are run on the three files, and they print what it quotes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_command_of_the_page_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    own = f'"{sys.executable}"'
    words = f'fusearch() {{ {own} -c "from fusearch.cli import main; main()" "$@"; }}; python() {{ {own} "$@"; }}; set -e\n'
    page = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    blocks = re.findall(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', page, re.DOTALL | re.MULTILINE)
    assert [kind for kind, _, _ in blocks] == ["sh", "sh", "yaml", "sh", "text", "sh", "sh", "sh", "sh"]
    printed = ""
    for kind, title, text in blocks:
        if kind == "yaml":
            (tmp_path / title).write_text(text, encoding="utf-8")
        elif kind == "text":
            assert [line for line in text.splitlines() if line not in printed] == []
        else:
            environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
            done = subprocess.run(
                ["bash", "-c", words + text], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=280
            )
            assert done.returncode == 0, f"{text}{done.stderr}"
            printed = done.stdout
    assert (tmp_path / "runs" / "ward" / "report.html").is_file()
    assert (tmp_path / "predictions.csv").read_text(encoding="utf-8").startswith("patient,alive,died,predicted\n")
