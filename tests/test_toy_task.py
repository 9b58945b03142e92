"""A task is two halves in one place: a user's own, of two label columns, goes from the manifest to `predict.py` without another change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from fusearch.data import Dataset, check_data, load_data
from fusearch.errors import DataError, ManifestError
from fusearch.metrics import METRICS
from fusearch.registry import PLUGIN_PREFIX, PLUGINS, load_file
from fusearch.run import Run
from fusearch.tasks import TASKS
from fusearch.testing import MetricSuite, TaskSuite

PLUGIN = Path(__file__).parent / "toy_hazard.py"
ROWS = 90


@pytest.fixture(scope="module", autouse=True)
def hazard() -> Iterator[None]:
    """The plug-in file, loaded as `--plugin` does, and gone afterwards."""
    from fusearch.evaluators.tasks import TASK_LAYERS

    load_file(str(PLUGIN))
    yield
    TASKS.remove("hazard")
    TASK_LAYERS.remove("hazard")
    METRICS.remove("hazard_concordance")
    del sys.modules[f"{PLUGIN_PREFIX}{PLUGIN.stem}"]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    genes, clinic = rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 2))
    times, censored = rng.exponential(np.exp(-1.5 * genes[:, 0] - clinic[:, 0])), rng.exponential(3, ROWS)
    ids = [f"p{row}" for row in range(ROWS)]
    labels = {"id": ids, "days": np.minimum(times, censored), "died": (times <= censored).astype(int), "age": clinic[:, 0]}
    pd.DataFrame(labels).to_csv(folder / "labels.csv", index=False)
    pd.DataFrame({"id": ids, **{f"g{column}": genes[:, column] for column in range(3)}}).to_csv(folder / "genes.csv", index=False)
    document = {
        "id": "id",
        "task": {"kind": "hazard", "file": "labels.csv", "time": "days", "event": "died"},
        "modalities": {"genes": {"kind": "tabular", "file": "genes.csv"}, "clinic": {"kind": "tabular", "file": "labels.csv"}},
        "splits": {"fractions": [0.6, 0.2, 0.2]},
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def data(manifest: Path) -> Dataset:
    return load_data(manifest)


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search import run_search
    from fusearch.search_space import SearchSpace

    evaluator = TrainingEvaluator(data, folds=2, epochs=2)
    objectives = (data.task.headline, "macs")
    out = tmp_path_factory.mktemp("runs") / "hazard"
    return run_search(SearchSpace(data.modalities), evaluator, objectives=objectives, out=out, trials=2, executor="inline")


class TestHazard(TaskSuite):
    name = "hazard"

    def label_columns(self, rng: np.random.Generator, rows: int) -> Mapping[str, Any]:
        return {"time": rng.exponential(10, rows), "event": rng.integers(0, 2, rows)}


class TestConcordance(MetricSuite):
    name = "hazard_concordance"

    def cases(self) -> list[Any]:
        rng = np.random.default_rng(0)
        return [(np.stack([rng.exponential(9, rows), rng.integers(0, 2, rows)], axis=1), rng.random(rows)) for rows in (40, 5)]

    def perfect(self, targets: Any, outputs: Any) -> Any:
        return -targets[:, 0]


def test_two_label_columns_are_read_from_the_manifest(data: Dataset) -> None:
    assert (data.targets.shape, data.targets.dtype) == ((ROWS, 2), np.float32)
    assert (data.task.kind, data.task.name) == ("hazard", "days")
    assert data.columns["clinic"].columns == ("age",)  # the label columns are no measurements
    found = check_data(data)
    assert found.ok
    assert list(found.splits["train"]) == ["rows", "events", "median time"]


def test_in_memory_the_columns_are_a_mapping() -> None:
    tables = {"a": np.random.default_rng(0).normal(size=(4, 2))}
    made = {"modalities": tables, "task": "hazard", "splits": ["train", "train", "val", "val"]}
    data = Dataset.from_arrays("toy", targets={"time": [1.0, 2.0, 3.0, 4.0], "event": [0, 1, 1, 0]}, **made)
    assert data.targets.tolist() == [[1, 0], [2, 1], [3, 1], [4, 0]]
    with pytest.raises(DataError, match="data set 'toy': targets time of a hazard, expected a mapping with time, event"):
        Dataset.from_arrays("toy", targets=[1.0, 2.0, 3.0, 4.0], **made)
    with pytest.raises(DataError, match=r"column 'event' holds '7' in row 2 \(id '1'\), expected 0 or 1"):
        Dataset.from_arrays("toy", targets={"time": [1, 2, 3, 4], "event": [0, 7, 1, 0]}, **made)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"time": "days"}, "study.yaml: task.event: missing key, expected in every hazard"),
        ({"time": "days", "event": "dead"}, "study.yaml: task.event: no column 'dead' in labels.csv, did you mean"),
        ({"time": "days", "event": "died", "labels": ["a", "b"]}, "study.yaml: task.labels: unknown key, expected one of"),
    ],
)
def test_its_keys_are_checked(manifest: Path, tmp_path: Path, task: dict[str, Any], message: str) -> None:
    document = yaml.safe_load(manifest.read_text(encoding="utf-8"))
    document["task"] = {"kind": "hazard", "file": "labels.csv", **task}
    for name in ("labels.csv", "genes.csv"):
        (tmp_path / name).write_bytes((manifest.parent / name).read_bytes())
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(ManifestError, match=message):
        load_data(tmp_path / "study.yaml")


def test_it_is_searched_and_reported(run: Run) -> None:
    from fusearch.reports import write_report

    assert [record.reason for record in run.records() if record.state == "failed"] == []
    assert all(np.isfinite(record.values["hazard_concordance"]) for record in run.records())
    assert "hazard_concordance" in write_report(run).read_text(encoding="utf-8")


def test_the_bundle_predicts_without_fusearch(run: Run, data: Dataset, manifest: Path, tmp_path: Path) -> None:
    from fusearch.evaluators.export import confirm, export

    bundle = export(run, tmp_path / "bundle", seeds=2)
    assert "Predicts `days` (a relative hazard)." in (bundle / "model_card.md").read_text(encoding="utf-8")
    assert json.loads((bundle / "design.json").read_text(encoding="utf-8"))["task"]["says"] == "relative hazards"
    inputs = json.loads((bundle / "inputs.json").read_text(encoding="utf-8"))["modalities"]
    files = {"genes": manifest.parent / "genes.csv", "clinic": manifest.parent / "labels.csv"}
    options = [part for name, modality in inputs.items() for part in (modality["option"], str(files[name]))]
    command = [sys.executable, "-W", "ignore", str(bundle / "predict.py"), *options, "--out", str(tmp_path / "predictions.csv")]
    subprocess.run(command, check=True, cwd=tmp_path)
    predictions = pd.read_csv(tmp_path / "predictions.csv")
    assert list(predictions) == ["id", "days"]
    assert predictions["id"].tolist() == data.ids.tolist()
    assert (predictions["days"] > 0).all()
    assert {"hazard_concordance"} == set(confirm(run, seeds=1)["designs"][0]["values"])


@pytest.mark.slow
def test_a_worker_gets_it_with_the_evaluator(manifest: Path, tmp_path: Path) -> None:
    plugin = tmp_path / PLUGIN.name
    plugin.write_bytes(PLUGIN.read_bytes())
    send = (
        "import sys, cloudpickle\nfrom fusearch.data import load_data\nfrom fusearch.evaluators import TrainingEvaluator\n"
        "evaluator = TrainingEvaluator(load_data(sys.argv[2]), folds=2, epochs=1)\n"
        "open(sys.argv[1], 'wb').write(cloudpickle.dumps(evaluator))"
    )
    receive = (
        "import sys, cloudpickle\nfrom fusearch.contracts import Budget\nfrom fusearch.search_space import Candidate, FusionGraph\n"
        "evaluator = cloudpickle.loads(open(sys.argv[1], 'rb').read())\n"
        "graph = FusionGraph.parse('F1 = vote_weighted(genes@score, clinic@score) ->\\ntrain = independent', evaluator.data.modalities)\n"
        "print(0 < evaluator(Candidate(graph), Budget(), lambda step, values: None)['hazard_concordance'] < 1)"
    )
    without = {name: value for name, value in os.environ.items() if name != PLUGINS}
    for code, environment in ((send, {**without, PLUGINS: str(plugin)}), (receive, without)):
        command = [sys.executable, "-c", code, str(tmp_path / "evaluator"), str(manifest)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        plugin.unlink(missing_ok=True)  # the worker may be on another machine
    assert done.stdout.strip() == "True"
