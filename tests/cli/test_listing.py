from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from fusearch.data.modality import Modality
from fusearch.evaluators.network.encoder_network import make_encoder


@pytest.mark.parametrize(
    ("what", "some"),
    [
        ("operators", {"cat", "sum", "cross_attention", "mmtm", "vote_mean"}),
        ("encoders", {"identity", "mlp", "ft_transformer", "cnn", "resnet", "tcn", "gru"}),
        ("samplers", {"tpe", "random", "nsga2"}),
        ("strategies", {"graph", "pareto-ensemble", "late-ensemble", "forward-timing"}),
        ("data", {"wisconsin", "digits"}),
        ("metrics", {"auroc", "log_loss", "rmse"}),
    ],
)
def test_list(what: str, some: set[str], fusearch: Callable[..., Any]) -> None:
    done = fusearch("list", what, "--json")
    assert done.code == 0
    assert some <= {row["name"] for row in done.document}
    table = fusearch("list", what)
    assert table.code == 0
    assert all(name in table.out for name in some)


def test_check_an_embedded_set(fusearch: Callable[..., Any]) -> None:
    done = fusearch("check", "wisconsin", "--json")
    assert done.code == 0
    assert done.document["samples"] == 569
    assert set(done.document["modalities"]) == {"mean", "error", "worst"}
    assert {"train", "val", "test"} <= set(done.document["splits"])
    assert fusearch("check", "wisconsin").out.startswith("569 samples\n")


def test_check_of_a_broken_manifest_lists_its_problems_and_fails(tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    manifest = tmp_path / "broken.yaml"
    manifest.write_text("name: broken\nid: patient\ntaskk: {kind: classification}\n", encoding="utf-8")
    done = fusearch("check", manifest, "--json")
    assert done.code == 2
    assert any(problem["severity"] == "error" for problem in done.document["problems"])
    shown = fusearch("check", manifest)
    assert shown.code == 2
    assert not any(word in shown.out for word in ("0 samples", "modality", "split"))  # nothing was read


def test_check_compares_given_weights_with_their_encoders(tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    pd.DataFrame({"y": ["a", "b"] * 20, "x1": rng.normal(size=40), "x2": rng.normal(size=40)}).to_csv(tmp_path / "t.csv", index=False)
    manifest = tmp_path / "study.yaml"
    manifest.write_text(
        "task: {kind: classification, file: t.csv, column: y}\nmodalities: {x: {kind: tabular, file: t.csv}}\n"
        "encoders: {x: [{encoder: mlp(width=8), weights: w.safetensors}]}\n",
        encoding="utf-8",
    )

    def told() -> list[tuple[str, str, str]]:
        found = fusearch("check", manifest, "--json").document["problems"]
        return [(problem["severity"], problem["where"], problem["what"]) for problem in found if problem["severity"] == "error"]

    assert [(severity, where) for severity, where, _ in told()] == [("error", "encoders.x")]
    assert "no file 'w.safetensors'" in told()[0][2]
    network = make_encoder("mlp", Modality("x", "tabular", (2,)), 8, 0.0, {"layers": 2})
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    assert told() == []
    save_file({**network.state_dict(), "stages.0.0.weight": torch.ones(8, 3)}, tmp_path / "w.safetensors")
    assert told()[0][:2] == ("error", "encoders.x")
    assert told()[0][2].endswith("do not fit: 1 of 8 differ: stages.0.0.weight is (8, 3), expected (8, 2)")
    assert fusearch("check", manifest).code == 2


def test_check_of_an_alias_bomb_is_one_line(tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    manifest = tmp_path / "bomb.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 12)]
    manifest.write_text("\n".join(lines), encoding="utf-8")
    done = fusearch("check", manifest)
    assert done.code == 2
    assert "bomb.yaml: line 6, column 10: more than 200,000 values with all that aliases repeat, expected fewer" in done.out + done.err


def test_an_unknown_data_set_gets_the_nearest(fusearch: Callable[..., Any]) -> None:
    done = fusearch("evaluate", "mean@L ->", "--data", "wisconson")
    assert done.code == 2
    assert "wisconsin" in done.err
    assert done.err.count("\n") == 1


def test_another_word_for_what_is_listed_gets_the_nearest(fusearch: Callable[..., Any]) -> None:
    done = fusearch("list", "datasets")
    assert (done.code, done.err) == (2, "error: Invalid value for 'what': 'datasets': did you mean 'data'? (see `fusearch list --help`)\n")
