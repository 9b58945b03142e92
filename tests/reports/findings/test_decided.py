"""What a run folder tells about its strategy, in words and numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusearch.errors import RunError
from fusearch.reports.findings.decided import Told, cloud_info, diversity_label, read_strategy, strategy_sentences
from fusearch.run import read_decision
from fusearch.trials import Trials


def ensemble_record(**changes: Any) -> dict[str, Any]:
    def entry(members: list[str], evaluation: float, diversity: float) -> dict[str, Any]:
        return {"members": members, "evaluation": evaluation, "diversity": diversity, "distance": 0.05}

    networks = [
        {
            "name": f"{modality}_mlp{size}",
            "modality": modality,
            "digest": f"{size}" * 12,
            "accuracy": 0.8,
            "taken": size == 1,
            "reason": None,
        }
        for modality in ("rna", "meth")
        for size in (1, 2)
    ]
    return {
        "strategy": "pareto-ensemble",
        "candidate": "1" * 12,
        "diversity": "kappa",
        "networks": networks,
        "subsets": {
            "method": "exhaustive",
            "subsets": 9,
            "allowed": 9,
            "chosen": entry(["rna_mlp1", "meth_mlp1"], 0.9, 0.7),
            "front": [entry(["rna_mlp1", "meth_mlp1"], 0.9, 0.7), entry(["rna_mlp2", "meth_mlp1"], 0.85, 0.8)],
        },
        **changes,
    }


def timing_record() -> dict[str, Any]:
    def tried(on: list[int], loss: float | None) -> dict[str, Any]:
        return {"on": on, "loss": loss, "digest": "0123456789ab", "reason": None if loss else "no memory"}

    return {
        "strategy": "forward-timing",
        "candidate": "0123456789ab",
        "operator": "film",
        "stages": [1, 2],
        "chosen": {"on": [2], "loss": 0.4},
        "path": [
            {"from": [], "tried": [tried([1], None), tried([2], 0.4)], "kept": [2]},
            {"from": [2], "tried": [tried([1, 2], 0.45)], "kept": None},
        ],
        "comparisons": {"none": {"loss": 0.5}, "all": {"loss": 0.48}, "late": {"loss": 0.6}, "rna": {"loss": None}},
    }


def write(folder: Path, record: dict[str, Any], **arrays: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "strategy.json").write_text(json.dumps(record))
    if arrays:
        np.savez(folder / "strategy.npz", **arrays)
    return folder


def read(folder: Path) -> Told | None:
    return read_strategy(Trials((), (), path=folder, decision=read_decision(folder)))


def test_a_run_without_a_strategy_tells_nothing(tmp_path: Path) -> None:
    assert read(tmp_path) is None


def test_a_file_that_is_no_decision_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "strategy.json").write_text("[]")
    with pytest.raises(RunError, match=r"strategy.json' is not the decision of a strategy"):
        read(tmp_path)


def test_what_an_ensemble_decided_is_said(tmp_path: Path) -> None:
    told = read(write(tmp_path, ensemble_record()))
    assert told is not None
    text = " ".join(strategy_sentences(told))
    assert "4 unimodal networks allow 9 subsets; all of them were scored" in text
    assert "is rna_mlp1 and meth_mlp1: vote accuracy 0.900, diversity 0.700" in text
    assert "2 networks, joined at their class scores and trained on together." in text
    assert diversity_label(told) == "Diversity (1 − kappa)"


def test_failures_and_nsga2_are_said(tmp_path: Path) -> None:
    record = ensemble_record(strategy="late-ensemble")
    record["networks"][3] |= {"accuracy": None, "reason": "no memory"}
    record["subsets"] |= {"method": "nsga2", "allowed": 10_000_000}
    told = read(write(tmp_path, record))
    assert told is not None
    text = " ".join(strategy_sentences(told))
    assert "3 unimodal networks allow 10,000,000 subsets; 9 of them, found by NSGA-II, were scored" in text
    assert "joined by an untrained majority vote." in text
    assert "Left out, as they failed: meth_mlp2." in text


def test_the_path_is_said(tmp_path: Path) -> None:
    told = read(write(tmp_path, timing_record()))
    assert told is not None
    text = " ".join(strategy_sentences(told))
    assert "The encoders have 2 stages at which `film` may fuse. 1 step lowered the validation loss" in text
    assert "the streams exchange after stage 2, with a loss of 0.400." in text
    assert "no fusion but the last 0.500, all fusions on 0.480, late mean 0.600." in text
    assert "trained on" not in text
    assert cloud_info(told) is None


def test_the_control_of_each_step_is_said(tmp_path: Path) -> None:
    record = timing_record()
    for step, loss in zip(record["path"], (0.47, 0.39), strict=True):
        step["control"] = {"on": step["from"], "loss": loss, "digest": "0123456789ab", "reason": None}
    record["chosen"]["loss"] = 0.39
    text = " ".join(strategy_sentences(read(write(tmp_path, record))))
    assert "1 step lowered the validation loss by more than training on alone; at the end" in text
    assert "In the last step the same design, trained on for as long, had 0.390; with its best fusion 0.450." in text


def test_why_a_fusion_of_less_loss_was_not_kept_is_said(tmp_path: Path) -> None:
    record = timing_record()
    for step in record["path"]:
        step["control"] = {"on": step["from"], "loss": 0.47, "digest": "0123456789ab", "reason": None}
        for entry in step["tried"]:
            entry["gain"] = {"difference": 0.02, "interval": [-0.03, 0.07], "p_corrected": 0.4, "outcome": "no clear gain"}
    text = " ".join(strategy_sentences(read(write(tmp_path, record))))
    assert "lowered the validation loss by more than training on alone and by more than chance; at the end" in text
    assert "with its best fusion 0.450, which is no clear gain over the better of the designs without it" in text
    assert "(90 % interval of what it buys −0.030 to +0.070)" in text
    entry["gain"]["difference"] = -0.02
    assert "with its best fusion 0.450." in " ".join(strategy_sentences(read(write(tmp_path, record))))


def test_the_cloud_is_thinned_to_a_point_a_cell_and_keeps_front_and_chosen(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    evaluation, diversity = rng.random((2, 50_000)).astype(np.float32)
    told = read(write(tmp_path, ensemble_record(), evaluation=evaluation, diversity=diversity))
    assert told is not None
    cloud = cloud_info(told, cells=(20, 10))
    assert cloud is not None
    assert cloud.total == 50_000
    assert 200 <= len(cloud.points) <= 21 * 11
    every = {(float(x), float(y)) for x, y in zip(diversity, evaluation, strict=True)}
    assert set(cloud.points) <= every
    assert [names for _, _, names in cloud.front] == ["rna_mlp1, meth_mlp1", "rna_mlp2, meth_mlp1"]
    assert cloud.chosen == (0.7, 0.9, "rna_mlp1, meth_mlp1")


def test_a_cloud_of_equal_points_is_one_point(tmp_path: Path) -> None:
    told = read(write(tmp_path, ensemble_record(), evaluation=np.full(5, 0.5), diversity=np.full(5, 0.25)))
    assert told is not None
    cloud = cloud_info(told)
    assert cloud is not None
    assert cloud.points == ((0.25, 0.5),)
