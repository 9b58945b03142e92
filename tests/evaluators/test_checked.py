"""`check` finds what the command finds, given weights among it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import save_file

import fusearch as fs


def test_an_embedded_data_set_shows_itself() -> None:
    found = fs.check("wisconsin")
    assert found.ok
    assert found.to_dict() == fs.check(fs.load_data("wisconsin")).to_dict()
    assert "wisconsin: 569 samples" in found._repr_html_()
    assert "<td>worst</td>" in found._repr_html_()


def test_weights_that_do_not_fit_are_a_problem(tmp_path: Path) -> None:
    rows = pd.DataFrame({"id": [f"s{n}" for n in range(12)], "x1": range(12), "x2": [n * n % 7 for n in range(12)], "y": [0, 1] * 6})
    rows[["id", "x1", "x2"]].to_csv(tmp_path / "x.csv", index=False)
    rows[["id", "y"]].to_csv(tmp_path / "labels.csv", index=False)
    save_file({"stages.0.0.weight": torch.ones(8, 9)}, tmp_path / "w.safetensors")
    (tmp_path / "data.yaml").write_text(
        "name: made\nid: id\ntask: {kind: classification, file: labels.csv, column: y}\nmodalities:\n  x: {kind: tabular, file: x.csv}\n"
        "encoders: {x: [{encoder: mlp(width=8), weights: w.safetensors}]}\n"
    )
    found = fs.check(tmp_path / "data.yaml")
    assert not found.ok
    assert "w.safetensors" in found.problems[0].what
    assert "error" in found._repr_html_()
