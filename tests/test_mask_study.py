"""A study of masks from the first design to the bundle, on generated pictures."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from mask_data import mask_arrays, mask_data

from fusearch.cli import main
from fusearch.contracts import Budget, Objective
from fusearch.data import load_data
from fusearch.errors import DataError
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.export import export
from fusearch.evaluators.export.confirmation import confirm
from fusearch.inference.kept import read_kept
from fusearch.reports import compare_runs, write_report
from fusearch.reports.findings.findings import Findings
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search_space import Candidate, FusionGraph, Recipe, RecipeSpace, SearchSpace

ROWS = 30


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    folder = tmp_path_factory.mktemp("masks")
    arrays = mask_arrays(ROWS, 8)
    names = [f"{row}.npy" for row in range(ROWS)]
    for name in ("t1", "t2", "masks"):
        (folder / name).mkdir()
        for row in range(ROWS):
            np.save(folder / name / names[row], arrays[name][row] * (255 if name == "masks" else 1))
    table = pd.DataFrame({"id": [f"p{row}" for row in range(ROWS)], "t1": names, "t2": names, "mask": names})
    table.to_csv(folder / "labels.csv", index=False)
    images = {name: {"kind": "image2d", "file": "labels.csv", "column": name, "root": name} for name in ("t1", "t2")}
    task = {"kind": "segmentation", "file": "labels.csv", "column": "mask", "root": "masks", "labels": ["none", "lesion"]}
    splits = {"fractions": [0.6, 0.2, 0.2]}
    document = {"name": "masks", "id": "id", "task": task, "modalities": images, "splits": splits}
    (folder / "data.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    data = load_data(folder / "data.yaml")
    evaluator = TrainingEvaluator(data, folds=2, epochs=1, batch_size=8)
    task = {"dense": True, "solved": False, "balances": False}
    space = SearchSpace(data.modalities, encoders=["cnn(stages=2)"], max_fusions=1, recipe=RecipeSpace(augmentation=("mirrored",)), **task)
    objectives = [Objective.parse("dice"), Objective.parse("macs")]
    run = run_search(space, evaluator, out=folder / "run", trials=6, executor="inline", objectives=objectives)
    return folder, run


def test_a_search_keeps_the_scores_of_samples_and_a_report_shows_masks(study: tuple[Path, Run]) -> None:
    folder, run = study
    trials = run.read()
    assert "mirrored" in {record.recipe.get("augmentation") for record in trials.feasible}
    assert set(trials.references) == {"best_unimodal", "early", "penultimate", "late"}
    kept = read_kept(trials.path, trials.feasible[:2], trials.described_task)
    rows = len(load_data(folder / "data.yaml").rows("search"))
    assert kept.outputs.shape == (2, rows, 2)
    assert kept.targets.shape == (rows, 2)
    found = Findings(trials)
    assert [each.score for each in found.predicted.scores[:2]] == ["dice", "hd95"]
    assert found.shown_masks is not None
    assert found.shown_masks.images.shape == found.shown_masks.true.shape
    assert "of masks a run keeps what each sample scored" in str(found.answers.team.reason)
    page = write_report(run).read_text(encoding="utf-8")
    assert re.search(r'<img alt="Held-out samples p\d+, .*" src="data:image/png;base64,', page)
    assert "| dice |" in (folder / "run" / "report.md").read_text(encoding="utf-8")


def test_a_confirmation_scores_the_mean_of_masks(study: tuple[Path, Run]) -> None:
    _, run = study
    look = confirm(run, seeds=1)
    assert look["samples"] == 6
    assert all(0 <= design["values"]["dice"] <= 1 for design in look["designs"])


def test_runs_are_compared_and_a_team_is_refused_in_a_line(study: tuple[Path, Run], capsys: pytest.CaptureFixture[str]) -> None:
    folder, run = study
    page = compare_runs([run.path, shutil.copytree(run.path, folder / "again")], folder / "compared.html").read_text(encoding="utf-8")
    assert "dice" in page
    for asked in (["confirm"], ["explain"], ["export", "--out", str(folder / "team")]):
        command, *options = asked
        with pytest.raises(SystemExit) as stopped:
            main([command, str(run.path), "--pick", "team", *options])
        said = capsys.readouterr().err
        assert stopped.value.code == 2
        assert re.fullmatch(r"error: no team can be chosen from run '.*': of masks a run keeps what each sample scored, which .*\n", said)
    with pytest.raises(
        DataError, match=r"labels.csv: task 'lesion' is a segmentation, whose masks no other target stands beside; expected"
    ):
        load_data(several(folder))


def several(folder: Path) -> Path:
    """Write a manifest of a mask beside a number."""
    document = yaml.safe_load((folder / "data.yaml").read_text(encoding="utf-8"))
    lesion = document.pop("task")
    document["tasks"] = {"lesion": lesion, "size": {"kind": "regression", "file": "labels.csv", "column": "t1"}}
    path = folder / "several.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_bundle_writes_masks_with_the_values_of_the_training(study: tuple[Path, Run]) -> None:
    folder, run = study
    bundle = export(run, folder / "bundle", seeds=1)
    inputs = json.loads((bundle / "inputs.json").read_text())
    assert inputs["masks"] == {"classes": ["none", "lesion"], "values": [0, 255], "grid": [8, 8], "like": inputs["masks"]["like"]}
    options = [part for name in inputs["modalities"] for part in (f"--{name}", str(folder / "labels.csv"))]
    out = folder / "said" / "predictions.csv"
    out.parent.mkdir()
    command = [sys.executable, str(bundle / "predict.py"), *options, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=bundle, env={"PATH": ""})
    assert done.returncode == 0, done.stderr
    said = pd.read_csv(out)
    assert list(said.columns) == ["id", "mask", "none", "lesion"]
    mask = np.load(out.parent / said.loc[3, "mask"])
    assert mask.shape == (8, 8)
    assert set(np.unique(mask).tolist()) <= {0, 255}
    assert int((mask == 255).sum()) == said.loc[3, "lesion"]


@pytest.mark.slow
def test_shapes_that_stand_in_two_images_are_found() -> None:
    """Dice 0.9 on rows that were not trained on, which one of the images alone does not reach."""
    data = mask_data(80, 32)
    evaluator = TrainingEvaluator(data, folds=2, epochs=20, batch_size=8)
    texts = ["t1:cnn | t2:cnn\nF1 = cat_channels(t1@3, t2@3) ->", "t1:cnn\nt1@L ->"]
    graphs = [FusionGraph.parse(text, modalities=data.modalities) for text in texts]
    recipe = Recipe(width=16, learning_rate=3e-3)
    fused, alone = (evaluator(Candidate(graph, recipe), Budget(), lambda *_: None)["dice"] for graph in graphs)
    assert fused >= 0.9, (fused, alone)
    assert fused > alone + 0.05
