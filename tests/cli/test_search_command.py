"""`fusearch search` without `--out`, and with its data by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

TINY = ("--executor", "inline", "--epochs", 1, "--folds", 2, "--start", "references", "--sampler", "random", "--json")


def test_a_search_without_out_goes_to_runs_and_is_gone_on_with(
    tmp_path: Path, fusearch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = fusearch("search", "--data", "wisconsin", "--trials", 1, *TINY)
    assert done.code == 0, done.err
    assert done.document["run"] == f"runs/wisconsin-{date.today().isoformat()}"
    again = fusearch("search", "wisconsin", "--trials", 2, "--resume", *TINY)
    assert again.code == 0, again.err
    assert again.document["run"] == done.document["run"]
    assert again.document["trials"]["complete"] == 2
    assert fusearch("status", "--json").document["trials"]["complete"] == 2


def test_data_are_given_once(fusearch: Callable[..., Any]) -> None:
    assert "no data are given: expected a manifest (YAML)" in fusearch("search").err
    assert "--data 'lgg': the data are given already, as 'wisconsin'" in fusearch("search", "wisconsin", "--data", "lgg").err
    assert "no data are given" in fusearch("check").err
    assert "to go on with a run, give the command that began it once more, with --resume" in fusearch("search", "--resume").err
