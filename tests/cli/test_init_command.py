"""`fusearch init`: a first manifest, what `check` says of it, and the next command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    ids = [f"p{row:02d}" for row in range(40)]
    (tmp_path / "study").mkdir()
    pd.DataFrame({"patient": ids, "vital": ["dead", "alive"] * 20}).to_csv(tmp_path / "study" / "labels.csv", index=False)
    rna = pd.DataFrame(rng.normal(size=(40, 5))).add_prefix("g").assign(patient=ids)
    rna.to_csv(tmp_path / "study" / "rna.csv", index=False)
    return tmp_path / "study"


def test_a_manifest_is_written_and_checked(folder: Path, fusearch: Callable[..., Any]) -> None:
    done = fusearch("init", folder, "--target", "vital")
    assert done.code == 0, done.err
    path = folder / "study.yaml"
    assert f"Wrote {path}" in done.out
    assert "classification of vital" in done.out
    assert "No problems found.\n" in done.out
    assert f"Next: fusearch search {path} --out runs/study" in done.out
    assert fusearch("check", path).code == 0
    again = fusearch("init", folder, "--target", "vital")
    assert (again.code, again.err) == (2, f"error: '{path}' exists, expected another name, or --force to overwrite it\n")
    told = fusearch("init", folder, "--target", "vital", "--force", "--json").document
    assert (told["manifest"], told["notes"], told["check"]["samples"]) == (str(path), [], 40)


def test_files_that_are_left_out_are_told_again_before_the_next_command(folder: Path, fusearch: Callable[..., Any]) -> None:
    (folder / "scan.mat").write_bytes(b"")
    done = fusearch("init", folder, "--target", "vital")
    assert (done.code, done.err) == (0, "warning: files that no reader reads were left out: 1 .mat\n")
    assert "No problems found in what the manifest names.\n" in done.out
    assert "Not all that lies in the folder is used: the warnings above say what was left out, and why.\nNext: fusearch search" in done.out


def test_what_check_refuses_is_told(folder: Path, fusearch: Callable[..., Any]) -> None:
    labels = pd.read_csv(folder / "labels.csv")
    labels.assign(vital=labels["vital"].mask(labels.index == 3)).to_csv(folder / "labels.csv", index=False)
    done = fusearch("init", folder, "--target", "vital")
    assert done.code == 2
    assert "1 rows have no target" in (folder / "study.yaml").read_text(encoding="utf-8")
    assert "column 'vital' is empty in line 5" in " ".join(done.out.split())
    assert f"Mend what is wrong in {folder / 'study.yaml'}, then: fusearch check" in done.out


def test_a_wrong_target_is_one_line(folder: Path, fusearch: Callable[..., Any]) -> None:
    done = fusearch("init", folder, "--target", "vitl")
    assert (done.code, done.err) == (2, f"error: no table in '{folder}' has a column 'vitl', did you mean 'vital' (in labels.csv)?\n")
