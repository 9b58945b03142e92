"""A run folder that version 0.1.0 wrote (`fixtures/run_0_1_0`) opens, reports and exports.

It was made by `search wisconsin --objective auroc --objective 'macs<=4100' --trials 14 --folds 2 --epochs 3 --seed 3 --executor inline`,
then `explain --repeats 2 --no-features` and one look by `confirm`. Its predictions and weights were left out, its machine's name taken out.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fusearch import Run, SearchSpace, TrainingEvaluator, export, load_data, run_search, write_report

FIXTURE = Path(__file__).parent / "fixtures" / "run_0_1_0"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(shutil.copytree(FIXTURE, tmp_path / "run"))


def test_it_tells_what_0_1_0_told(run: Run) -> None:
    assert run.config["fusearch"] == "0.1.0"
    assert [record.digest for record in run.front()] == ["363f6891d165", "6815872be3e6", "2e04d8046e6a"]
    assert {role: record.digest for role, record in run.references().items()} == {
        "best_unimodal": "40701c9e13f5",
        "linear": "6815872be3e6",
        "early": "9cc34243739a",
    }
    assert run.pick("simplest").candidate == "7567952405ef"
    assert run.pick("best:auroc").values["auroc"] == 0.9862207602339181
    status = run.status()
    assert (status["state"], status["reason"]) == ("finished", "14 trials are done")
    assert {name: status["trials"][name] for name in ("complete", "pruned", "failed", "total")} == {
        "complete": 14,
        "pruned": 10,
        "failed": 0,
        "total": 14,
    }


def test_it_reports(run: Run) -> None:
    page = write_report(run)
    assert [path.name for path in sorted(page.parent.glob("report.*"))] == ["report.html", "report.json", "report.md"]
    document = json.loads((page.parent / "report.json").read_text(encoding="utf-8"))
    assert [design["digest"] for design in document["front"]] == [record.digest for record in run.front()]
    for path in (page, page.with_suffix(".md")):
        text = path.read_text(encoding="utf-8")
        assert "363f6891d165" in text, path.name
    text = page.read_text(encoding="utf-8")
    assert "What designs hang on" in text
    assert "Look 1: 85 samples" in text
    assert "made by a version of fusearch that kept no command" in text


def test_it_goes_on(run: Run) -> None:
    data = load_data("wisconsin")
    evaluator, objectives = TrainingEvaluator(data, folds=2, epochs=3), ["auroc", "macs<=4100"]
    after = run_search(SearchSpace(data.modalities), evaluator, objectives, out=run.path, resume=True, trials=15, executor="inline", seed=3)
    assert after.status()["trials"]["complete"] == 15
    assert after.records()[-1].budget == {"epochs": None, "members": None, "seed": None}
    assert run.records()[0].budget == {}


@pytest.mark.slow
def test_it_exports(run: Run) -> None:
    folder = export(run, run.path / "export", seeds=1)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert json.loads((folder / "design.json").read_text(encoding="utf-8"))["digest"] == "363f6891d165"
    assert metrics["confirmed"]["look"] == 1
