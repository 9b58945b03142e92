"""Every kind that a manifest loads, for every task of one target a sample: from files to what `predict.py` says of the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from bundles import bundle_of_all, predictions_of_files
from installed import need_streams
from scripts import load_script

from fusearch.data import check_data, load_data
from fusearch.data.kinds import loadable_kinds
from fusearch.evaluators import TrainingEvaluator
from fusearch.search import run_search
from fusearch.search_space import FusionGraph, SearchSpace

built = load_script(Path(__file__).parents[1] / "benchmarks" / "as_built.py")

TASKS = ("binary", "multiclass", "regression", "multilabel", "survival")

pytestmark = pytest.mark.slow
CELLS = [pytest.param(kind, task, id=f"{kind} {task}") for kind in loadable_kinds() for task in TASKS]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[tuple[str, int], dict[str, Any]]]:
    for package in ("nibabel", "soundfile", "PIL"):
        pytest.importorskip(package, reason="the files are written by it")
    folder = tmp_path_factory.mktemp("study")
    return folder, built.Writer(folder).write()


@pytest.mark.parametrize(("kind", "task"), CELLS)
def test_from_files_to_predictions(kind: str, task: str, study: Any, tmp_path: Path) -> None:
    folder, entries = study
    path = folder / f"{kind}_{task}.yaml"
    document = {"id": "id", **built.TASKS[task], "modalities": {"x": entries[kind, 0]}}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert check_data(path).ok, check_data(path).problems
    data = load_data(path)
    graph = FusionGraph.parse("x@L ->", modalities=data.modalities)
    need_streams(graph)
    space = SearchSpace(data.modalities, balances=data.task.balances, solved=data.task.solved)
    how: dict[str, Any] = {"out": tmp_path / "run", "trials": 1, "first": [graph], "executor": "inline"}
    run = run_search(space, TrainingEvaluator(data, epochs=1, folds=2), (data.task.headline, "macs"), **how)
    assert [record.reason for record in run.records() if record.state == "failed"] == []
    bundle, _ = bundle_of_all(run, ["x"], tmp_path)
    spec = json.loads((bundle / "inputs.json").read_text(encoding="utf-8"))
    work = tmp_path / "work"
    work.mkdir()
    predictions, expected = predictions_of_files(
        bundle, data, lambda name: folder / document["modalities"][name]["file"], spec["outputs"], work
    )
    assert list(predictions.columns) == list(data.task.outputs)
    np.testing.assert_allclose(predictions.to_numpy(), expected.reshape(len(data), -1), rtol=1e-4, atol=1e-4)
    assert np.isfinite(expected).all()
    assert (predictions.nunique() > 1).any(), "what is said hangs on the sample"
