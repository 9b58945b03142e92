"""A run folder that version 0.1.0 made (format 1): it opens, is reported on, goes on and is exported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fusearch.run import Run

FIXTURE = Path(__file__).parent / "fixtures" / "run_0_1_0"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    shutil.copytree(FIXTURE, tmp_path / "run")
    return Run(tmp_path / "run")


def test_it_opens(run: Run) -> None:
    trials = run.read()
    counts = trials.status()["trials"]
    assert (trials.status()["state"], counts["complete"], counts["failed"], counts["pruned"]) == ("finished", 13, 1, 2)
    assert [record.digest for record in trials.front] == ["fa67efe48092", "40701c9e13f5", "6815872be3e6", "2e04d8046e6a"]
    assert list(trials.references) == ["best_unimodal", "linear", "early", "penultimate", "late"]
    assert trials.pick().digest == "40701c9e13f5"
    assert {record.reason for record in trials.records if record.state == "failed"} == {
        "ValueError: a failure to be told (make.py:11, in __call__)"
    }
    assert all(record.budget == {} for record in trials.records)


def test_it_is_reported_on(run: Run) -> None:
    from fusearch.reports import write_report

    page = write_report(run).read_text(encoding="utf-8")
    document = json.loads((run.path / "report.json").read_text(encoding="utf-8"))
    assert document["recommended"]["digest"] == "40701c9e13f5"
    assert "40701c9e13f5" in page
    assert "a failure to be told" in (run.path / "report.md").read_text(encoding="utf-8")


def test_it_is_exported(run: Run, tmp_path: Path) -> None:
    from fusearch.evaluators.export import export

    folder = export(run, tmp_path / "bundle", seeds=1)
    assert json.loads((folder / "design.json").read_text(encoding="utf-8"))["digest"] == "40701c9e13f5"
    assert {"model.onnx", "model.pt2", "predict.py"} <= {path.name for path in folder.iterdir()}


def test_it_goes_on(run: Run) -> None:
    from fusearch.data import load_data
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search import run_search
    from fusearch.search_space import SearchSpace

    data = load_data("wisconsin")
    evaluator = TrainingEvaluator(data, folds=2, epochs=3)
    space = SearchSpace(data.modalities)
    objectives = ["auroc", "macs<=6000"]
    after = run_search(space, evaluator, objectives, out=run.path, resume=True, trials=15, executor="inline", sampler="random")
    assert after.status()["trials"]["complete"] == 14
    assert after.records()[-1].budget == {"epochs": None, "members": None}
