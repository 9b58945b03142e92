"""The section on what designs hang on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fusearch.errors import RunError
from fusearch.reports.findings.explanations import how_label, interval, read_explanations, signed

TOLD = {
    "digest": "0123456789ab",
    "candidate": "ba9876543210",
    "metric": "auroc",
    "members": 5,
    "effects": [
        {"modality": "rna<1>", "how": "ablation", "metric": "auroc", "drop": 0.12, "low": 0.08, "high": 0.16, "members": []},
        {"modality": "meth", "how": "permutation", "metric": "auroc", "drop": -0.01, "low": None, "high": None, "members": []},
    ],
    "shares": [{"name": "rna<1>", "kind": "modality", "mean": 0.625, "spread": 0.05}],
}


def write(folder: Path, told: object) -> Path:
    (folder / "explain").mkdir()
    (folder / "explain" / "ba9876543210.json").write_text(json.dumps(told))
    return folder


def test_a_file_that_is_no_explanation_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"ba9876543210.json' is not an explanation of a design"):
        read_explanations(write(tmp_path, {"digest": "x"}))


def test_effects_are_said_with_their_sign() -> None:
    assert [signed(value) for value in (None, 0.25, -0.25, 1e-5, 12.0)] == ["–", "0.250", "−0.250", "≈ 0", "12"]
    assert interval({"low": None, "high": None}) == ""
    assert interval({"low": -0.125, "high": 0.5}) == "−0.125 to 0.500"
    assert (how_label("permutation"), how_label("own")) == ("shuffled", "own")
