"""RUN left out, and the folder of a new run."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fusearch.cli.run_argument import new_run_folder, only_run, runs_here
from fusearch.errors import RunError


def make_run(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("format: 1\nobjectives: [{name: auroc, direction: maximize}]\n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_only_run_is_meant_wherever_it_is(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "notes").mkdir()
    (here / "config.yaml").write_text("format: of something else\n", encoding="utf-8")
    made = make_run(here / "runs" / "first")
    assert only_run() == Path("runs/first")
    monkeypatch.chdir(here / "runs")
    assert only_run() == Path("first")
    monkeypatch.chdir(made)
    assert only_run() == Path()


def test_where_there_is_not_exactly_one_a_line_says_which(here: Path, fusearch: Callable[..., Any]) -> None:
    with pytest.raises(RunError, match="no run here or in 'runs': expected RUN"):
        only_run()
    make_run(here / "third")
    make_run(here / "runs" / "first")
    assert runs_here() == [Path("third"), Path("runs/first")]
    done = fusearch("status")
    assert done.code == 2
    assert done.err.startswith("error: 2 runs here, expected RUN, the newest first: ")
    assert {"third", "runs/first"} <= set(re.split(r"[ ,\n]+", done.err))
    assert done.err.count("\n") == 1


def test_a_command_without_run_means_the_only_one(here: Path, fusearch: Callable[..., Any]) -> None:
    make_run(here / "runs" / "first")
    done = fusearch("status")
    assert "expected a file 'study.journal' there" in done.err
    assert "runs/first" in done.err


def test_a_new_run_never_takes_the_folder_of_another(here: Path) -> None:
    today = date.today().isoformat()
    assert new_run_folder("lgg") == Path(f"runs/lgg-{today}")
    make_run(here / new_run_folder("lgg"))
    assert new_run_folder("lgg") == Path(f"runs/lgg-{today}-2")
    assert new_run_folder("../a b").parent == Path("runs")
