"""Survival and multilabel go from files to `predict.py`: check, search, report, export, predict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from fusearch.data import Dataset, check_data, load_data
from fusearch.errors import DataError, ManifestError
from fusearch.run import Run

ROWS = 150
TASKS: dict[str, dict[str, Any]] = {
    "survival": {"time": "days", "event": "died"},
    "discrete_survival": {"time": "days", "event": "died", "times": [0.25, 0.5, 1, 2]},
    "multilabel": {"columns": ["cough", "fever"]},
}


def write_study(folder: Path, kind: str, **keys: Any) -> Path:
    """Write a manifest with two tables that both say something of the target."""
    rng = np.random.default_rng(0)
    genes, clinic = rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 2))
    times, censored = rng.exponential(np.exp(-1.5 * genes[:, 0] - clinic[:, 0])), rng.exponential(3, ROWS)
    ids = [f"p{row}" for row in range(ROWS)]
    if kind == "multilabel":
        targets = {"cough": (genes[:, 0] > 0).astype(int), "fever": (genes[:, 1] + clinic[:, 0] > 0.5)}
    else:
        targets = {"days": np.minimum(times, censored) + 0.01, "died": (times <= censored).astype(int)}
    pd.DataFrame({"id": ids, **targets, "age": clinic[:, 0]}).to_csv(folder / "labels.csv", index=False)
    pd.DataFrame({"id": ids, **{f"g{column}": genes[:, column] for column in range(3)}}).to_csv(folder / "genes.csv", index=False)
    document = {
        "id": "id",
        "task": {"kind": kind, "file": "labels.csv", **TASKS[kind], **keys},
        "modalities": {"genes": {"kind": "tabular", "file": "genes.csv"}, "clinic": {"kind": "tabular", "file": "labels.csv"}},
        "splits": {"fractions": [0.6, 0.2, 0.2]},
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@pytest.fixture(
    scope="module", params=[pytest.param(kind, marks=[pytest.mark.slow] * (kind == "discrete_survival")) for kind in sorted(TASKS)]
)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def manifest(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"), kind)


@pytest.fixture(scope="module")
def data(manifest: Path) -> Dataset:
    return load_data(manifest)


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search import run_search
    from fusearch.search_space import SearchSpace

    evaluator = TrainingEvaluator(data, folds=3, epochs=15, pack=3, missing=True)
    out = tmp_path_factory.mktemp("runs") / "run"
    objectives = (data.task.headline, "macs")
    return run_search(SearchSpace(data.modalities), evaluator, objectives=objectives, out=out, trials=3, executor="inline")


def test_the_label_columns_are_no_measurements_and_check_tells_what_they_hold(kind: str, data: Dataset) -> None:
    assert data.targets.shape == (ROWS, 2)
    assert data.columns["clinic"].columns == ("age",)
    found = check_data(data)
    assert found.ok
    told = ["events", "censored", "median follow-up"] if "survival" in kind else ["labels", "without any"]
    assert list(found.splits["train"]) == ["rows", *told]


def test_members_of_a_pack_are_trained_together_and_rank_what_they_have_not_seen(data: Dataset, run: Run) -> None:
    records = run.records()
    assert [record.reason for record in records if record.state == "failed"] == []
    assert {record.details.get("pack", {}).get("members") for record in records} == {3}
    assert max(record.values[data.task.headline] for record in records) > 0.7
    for metric in data.task.metrics:
        assert all(np.isfinite(record.values[f"worst_missing_{metric}"]) for record in records)


def test_the_report_draws_what_was_predicted(kind: str, run: Run) -> None:
    from fusearch.reports import write_report

    page = write_report(run).read_text(encoding="utf-8")
    drawn = ["figure-kaplan-meier"] if "survival" in kind else ["figure-roc", "figure-precision-recall"]
    assert all(name in page for name in drawn)
    assert ("log-rank" in page) == ("survival" in kind)


def test_the_bundle_predicts_without_fusearch(run: Run, data: Dataset, manifest: Path, tmp_path: Path) -> None:
    from fusearch.evaluators.export import confirm, export

    bundle = export(run, tmp_path / "bundle", seeds=2)
    files = {"genes": manifest.parent / "genes.csv", "clinic": manifest.parent / "labels.csv"}
    options = [part for name, file in files.items() for part in (f"--{name}", str(file))]
    barred = "import sys\nfor name in ('torch', 'sksurv', 'sklearn'): sys.modules[name] = None\nimport runpy\nsys.argv = sys.argv[1:]\n"
    barred += f"sys.path[0] = {str(bundle)!r}\n"
    code = f"{barred}runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-W", "ignore", "-c", code, str(bundle / "predict.py"), *options, "--out", str(tmp_path / "out.csv")]
    subprocess.run(command, check=True, cwd=tmp_path)
    predictions = pd.read_csv(tmp_path / "out.csv")
    assert list(predictions) == ["id", *data.task.outputs]
    numbers = predictions[list(data.task.outputs)].to_numpy()
    assert ((numbers >= 0) & (numbers <= 1)).all()
    from fusearch.metrics import METRICS

    assert METRICS[data.task.headline](data.targets, numbers, data.task.labels) > 0.7
    assert set(data.task.metrics) == set(confirm(run, seeds=1)["designs"][0]["values"])


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("survival", {"event": "dead"}, "study.yaml: task.event: no column 'dead' in labels.csv, did you mean"),
        ("survival", {"times": [2, 1]}, "task 'days': times 2, 1, expected rising numbers above 0"),
        ("survival", {"labels": ["a"]}, "study.yaml: task.labels: unknown key"),
        ("multilabel", {"columns": ["cough", "fevr"]}, "study.yaml: task.columns: no column 'fevr' in labels.csv, did you mean 'fever'"),
        ("multilabel", {"columns": "cough"}, "study.yaml: task.columns: expected a list of columns, such as \\[cough\\]"),
        ("multilabel", {"columns": ["cough", "cough"]}, "study.yaml: task.columns: 'cough' stands twice"),
        ("multilabel", {"columns": ["cough", "id"]}, "study.yaml: task.columns: 'id' is the id"),
    ],
)
def test_what_a_manifest_says_wrongly_is_told_in_a_line(tmp_path: Path, name: str, keys: dict[str, Any], message: str) -> None:
    with pytest.raises((ManifestError, DataError), match=message):
        load_data(write_study(tmp_path, name, **keys))


def test_in_memory_labels_are_a_mapping_from_their_names() -> None:
    tables = {"a": np.arange(8.0).reshape(4, 2)}
    made: dict[str, Any] = {"modalities": tables, "task": "multilabel", "splits": ["train", "train", "val", "val"]}
    data = Dataset.from_arrays("toy", targets={"cough": [1, 0, 1, 0], "fever": [True, False, False, True]}, **made)
    assert (data.task.labels, data.targets.tolist()) == (("cough", "fever"), [[1, 1], [0, 0], [1, 0], [0, 1]])
    with pytest.raises(DataError, match="targets of a multilabel, expected a mapping from the name of each label to its values"):
        Dataset.from_arrays("toy", targets=[1, 0, 1, 0], **made)
