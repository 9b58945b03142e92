"""Several tasks with own targets, losses and weights go from files to `predict.py`; a sample may lack some of the labels."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from fusearch.contracts import Budget
from fusearch.data import Dataset, check_data, load_data
from fusearch.errors import DataError, ManifestError
from fusearch.run import Run
from fusearch.search_space import Candidate, FusionGraph, Recipe
from fusearch.tasks import SeveralTasks

ROWS = 120
TASKS: dict[str, dict[str, Any]] = {
    "died": {"kind": "classification", "file": "labels.csv", "column": "vital", "balanced": True},
    "age": {"kind": "regression", "file": "labels.csv", "column": "years", "weight": 0.5},
    "signs": {"kind": "multilabel", "file": "labels.csv", "columns": ["cough", "fever"]},
    "relapse": {"kind": "survival", "file": "labels.csv", "time": "days", "event": "back", "times": [0.5, 1]},
}
OWN_OUTPUTS = "F1 = cat(genes@L, clinic@L) -> died; F2 = sum(genes@L, clinic@L) -> age; F2 -> relapse; F1 -> signs"


def write_study(folder: Path, **changes: Any) -> Path:
    """Write a manifest with two tables, each of which says something of every target; some labels are missing."""
    rng = np.random.default_rng(0)
    genes, clinic = rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 2))
    times, censored = rng.exponential(np.exp(-genes[:, 2])), rng.exponential(3, ROWS)
    vital = pd.Series(np.where(genes[:, 0] + clinic[:, 0] > 0.3, "dead", "alive")).where(np.arange(ROWS) % 7 > 0)
    labels = pd.DataFrame(
        {
            "id": [f"p{row}" for row in range(ROWS)],
            "vital": vital,
            "years": np.where(np.arange(ROWS) % 5 == 3, np.nan, 50 + 10 * genes[:, 1]),
            "cough": (genes[:, 0] > 0).astype(int),
            "fever": (clinic[:, 1] > 0).astype(int),
            "days": np.minimum(times, censored) + 0.01,
            "back": (times <= censored).astype(int),
            "weight": clinic[:, 0],
            "height": clinic[:, 1],
        }
    )
    labels.to_csv(folder / "labels.csv", index=False)
    pd.DataFrame({"id": labels["id"], **{f"g{column}": genes[:, column] for column in range(3)}}).to_csv(folder / "genes.csv", index=False)
    document = {
        "id": "id",
        "tasks": TASKS,
        "modalities": {"genes": {"kind": "tabular", "file": "genes.csv"}, "clinic": {"kind": "tabular", "file": "labels.csv"}},
        "splits": {"fractions": [0.6, 0.2, 0.2]},
        **changes,
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def data(manifest: Path) -> Dataset:
    return load_data(manifest)


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search import run_search
    from fusearch.search_space import SearchSpace

    space = SearchSpace(data.modalities, pattern="F1 = concatenation(x1^?, x2^?) -> died; F2 = tensor(x1^?, x2^?) ->")
    evaluator = TrainingEvaluator(data, folds=2, epochs=4)
    out = tmp_path_factory.mktemp("runs") / "run"
    return run_search(space, evaluator, objectives=(data.task.headline, "macs"), out=out, trials=13, executor="inline")


def test_a_row_may_lack_some_labels_and_check_tells_how_many(data: Dataset) -> None:
    assert isinstance(data.task, SeveralTasks)
    assert data.targets.shape == (ROWS, 6)
    assert data.columns["clinic"].columns == ("weight", "height")
    assert np.isnan(data.targets).sum(axis=0).tolist() == [len(range(0, ROWS, 7)), len(range(3, ROWS, 5)), 0, 0, 0, 0]
    found = check_data(data)
    assert found.ok
    assert found.splits["train"]["died"]["no label"] > 0
    assert "no label" not in found.splits["train"]["signs"]
    assert not [warning for warning in found.warnings if "identical" in warning]


def test_strata_are_those_of_the_first_task(data: Dataset) -> None:
    first = data.targets[:, 0]
    for fold in data.folds(2):
        shares = [np.mean(first[rows][~np.isnan(first[rows])]) for rows in (fold.train, fold.val)]
        assert abs(shares[0] - shares[1]) < 0.1


def test_the_search_scores_each_task_and_the_report_shows_each(run: Run, data: Dataset) -> None:
    from fusearch.reports import write_report

    trials = run.read()
    assert all(record.state == "complete" for record in trials.records), [record.reason for record in trials.records]
    assert {"best_unimodal", "linear", "early", "penultimate", "late"} <= set(trials.references)
    evaluated = [record for record in trials.records if record.evaluated]
    for record in evaluated:
        assert {f"{task}.{metric}" for task, metric in _HEADLINES.items()} <= record.values.keys()
    assert trials.objectives[0].name == "died.auroc"
    assert any("-> died" in record.formula for record in evaluated)
    written = write_report(run.path)
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert written
    for name in ("figure-roc-died", "figure-truth-age", "figure-roc-signs", "figure-kaplan-meier-relapse", "died: AUROC"):
        assert name in page, name


_HEADLINES = {"died": "auroc", "age": "rmse", "signs": "mean_auroc", "relapse": "concordance"}


def test_predict_writes_the_columns_of_each_task(run: Run, manifest: Path, tmp_path: Path) -> None:
    from fusearch.evaluators.export import export

    bundle = export(run.path, pick="best", out=tmp_path / "bundle", seeds=1)
    command = [sys.executable, "predict.py", "--out", str(tmp_path / "said.csv")]
    for name, modality in json.loads((Path(bundle) / "inputs.json").read_text())["modalities"].items():
        file = manifest.parent / ("genes.csv" if name == "genes" else "labels.csv")
        command += [modality["option"], str(file)]
    subprocess.run(command, cwd=bundle, check=True, capture_output=True, text=True)
    said = pd.read_csv(tmp_path / "said.csv")
    each = [
        "died.alive",
        "died.dead",
        "age",
        "signs.cough",
        "signs.fever",
        "relapse.risk",
        "relapse.survival at 0.5",
        "relapse.survival at 1",
    ]
    assert list(said.columns) == ["id", *each, "died.predicted"]
    assert np.allclose(said["died.alive"] + said["died.dead"], 1, atol=1e-5)
    assert said["age"].between(0, 100).all()
    assert set(said["died.predicted"]) <= {"alive", "dead"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": {key: TASKS["died"][key] for key in ("kind", "file", "column")}}, "task and tasks exclude each other"),
        ({"tasks": {"died": TASKS["died"]}}, "expected two or more"),
        ({"tasks": {**TASKS, "aux": TASKS["age"]}}, "task 'aux'"),
        ({"tasks": {**TASKS, "age": {**TASKS["age"], "weight": 0}}}, "tasks.age.weight: 0"),
        ({"tasks": {**TASKS, "age": {**TASKS["age"], "file": "genes.csv"}}}, "expected one file for all tasks"),
        ({"tasks": {**TASKS, "age": {**TASKS["age"], "column": "yeers"}}}, "tasks.age.column: no column 'yeers'"),
    ],
)
def test_a_manifest_that_cannot_be_meant_is_refused(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=words):
        load_data(write_study(tmp_path, **changes))


def test_a_row_without_any_label_is_refused() -> None:
    values = {"a": np.random.default_rng(0).normal(size=(20, 3))}
    targets = {"x": [None, *range(19)], "y": [None, *range(19)]}
    with pytest.raises(DataError, match="no label of any task in row 1"):
        Dataset.from_arrays("toy", modalities=values, targets=targets, task={"x": "regression", "y": "regression"})


def test_members_learn_the_same_together_and_one_by_one(data: Dataset) -> None:
    from fusearch.evaluators import TrainingEvaluator

    candidate = Candidate(FusionGraph.parse(OWN_OUTPUTS, modalities=data.modalities), Recipe(dropout=0.0))
    found = [TrainingEvaluator(data, folds=2, epochs=3, pack=pack)(candidate, Budget(), lambda step, values: None) for pack in ("off", 2)]
    assert found[1].details["pack"] == {"members": 2}
    for metric in data.task.metrics:
        if metric in found[0]:
            assert found[0][metric] == pytest.approx(found[1][metric], abs=2e-3), metric
