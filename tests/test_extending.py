"""`docs/extending.md` is a file that works: seen on the command line, by entry points and by a search, and it passes the suites."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fusearch.registry import PLUGINS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
OWN = {
    "operators": "soft_maximum",
    "encoders": "fourier",
    "tasks": "count",
    "kinds": "spectrum",
    "data": "coin",
    "samplers": "nsga3",
    "metrics": "sensitivity_at_90",
}
SEARCH = ("search", "coin", "--objective", "sensitivity_at_90", "--objective", "macs", "--sampler", "nsga3")
SMALL = ("--encoder", "left=fourier", "--operator", "soft_maximum", "--operator", "cat", "--folds", "2", "--epochs", "2")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's blocks as `own.py`, the suites as `test_own.py`, and an installed distribution's metadata."""
    folder = tmp_path_factory.mktemp("extending")
    suites = [block for block in blocks("python") if "fusearch.testing" in block]
    (folder / "own.py").write_text("\n\n".join(block for block in blocks("python") if block not in suites), encoding="utf-8")
    (folder / "test_own.py").write_text("\n\n".join(["import own", *suites]), encoding="utf-8")
    metadata = folder / "own-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n", encoding="utf-8")
    (toml,) = blocks("toml")
    groups = toml.replace('[project.entry-points."', "[").replace('"]', "]").replace('"', "")
    (metadata / "entry_points.txt").write_text(groups, encoding="utf-8")
    return folder


#: Runs one command of fusearch after the other, and prints the names that each lists: a process for each takes seconds to import.
LISTS = """
import contextlib, io, json, sys
from fusearch.cli import main
names = {}
for what, command in json.loads(sys.argv[1]).items():
    sys.argv = ["fusearch", *command]
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        main()
    names[what] = [row["name"] for row in json.loads(out.getvalue())]
print(json.dumps(names))
"""


def start(*arguments: object, installed: Path | None = None, plugins: str = "") -> subprocess.Popen[str]:
    return start_python("from fusearch.cli import main; main()", *arguments, installed=installed, plugins=plugins)


def start_python(code: str, *arguments: object, installed: Path | None = None, plugins: str = "") -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed or ""), PLUGINS: plugins, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT)


def document(process: subprocess.Popen[str]) -> Any:
    out, err = process.communicate(timeout=250)
    assert process.returncode == 0, err
    return json.loads(out)


@pytest.mark.parametrize("how", ["entry points", "--plugin"])
def test_list_shows_the_user_s_own(how: str, folder: Path) -> None:
    options, installed = ([], folder) if how == "entry points" else (["--plugin", str(folder / "own.py")], None)
    commands = {what: [*options, "list", what, "--json"] for what in OWN}
    names = document(start_python(LISTS, json.dumps(commands), installed=installed))
    assert [what for what in OWN if OWN[what] not in names[what]] == []


def test_without_either_nothing_is_listed() -> None:
    assert OWN["metrics"] not in [row["name"] for row in document(start("list", "metrics", "--json"))]


@pytest.mark.slow
def test_a_search_uses_all_of_them(folder: Path, tmp_path: Path) -> None:
    command = (*SEARCH, *SMALL, "--trials", "24", "--executor", "inline", "--out", tmp_path / "run", "--json")
    document(start(*command, plugins=str(folder / "own.py")))
    journal = (tmp_path / "run" / "study.journal").read_text(encoding="utf-8")
    assert all(word in journal for word in ("soft_maximum(", ":fourier", "sensitivity_at_90"))
    config = (tmp_path / "run" / "config.yaml").read_text(encoding="utf-8")
    assert "sampler: nsga3" in config
    assert "name: sensitivity_at_90" in config


@pytest.mark.slow
@pytest.mark.ray
def test_workers_of_ray_get_a_plug_in_file(folder: Path, tmp_path: Path) -> None:
    command = (*SEARCH, *SMALL, "--trials", "2", "--workers", "1", "--out", tmp_path / "run", "--json")
    document(start("--plugin", folder / "own.py", *command))
    from fusearch.run import Run

    records = Run(tmp_path / "run").records()
    assert [record.reason for record in records if record.state == "failed"] == []
    assert sum("sensitivity_at_90" in record.values for record in records) >= 2


@pytest.mark.slow
def test_it_passes_the_suites(folder: Path) -> None:
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", str(folder), "-W", "ignore"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder / "test_own.py")],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=280,
        env={**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 40


def test_a_broken_entry_point_is_named(folder: Path, tmp_path: Path) -> None:
    metadata = tmp_path / "broken-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text("[fusearch.metrics]\nbroken = not_there\n", encoding="utf-8")
    process = start("list", "metrics", installed=tmp_path)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err == "error: plug-in 'broken = not_there' (fusearch.metrics): ModuleNotFoundError: No module named 'not_there'\n"
