"""`explain` on a real run: a strategy's design whose weights were kept, and one of another run that is trained again."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from device_of_tests import DEVICE

from fusearch.contracts import Budget
from fusearch.data import load_data
from fusearch.errors import EvaluationError, RunError
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.explanation.explain import explain
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search.strategies import ParetoEnsemble
from fusearch.search_space import FusionGraph, SearchSpace


def search(out: Path, **settings: Any) -> Run:
    data = load_data("wisconsin")
    evaluator = TrainingEvaluator(data, folds=2, epochs=3, device=DEVICE)
    return run_search(
        SearchSpace(data.modalities), evaluator, objectives=["auroc", "macs"], out=out, executor="inline", reference_share=0, **settings
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    encoders = {name: ["mlp1"] for name in ("mean", "error", "worst")}
    return search(tmp_path_factory.mktemp("runs") / "run", strategy=ParetoEnsemble(encoders=encoders))


def test_a_joined_design_has_effects_and_a_hierarchy(run: Run) -> None:
    path = explain(run, "strategy", repeats=2)
    told = json.loads(path.read_text())
    record = run.pick("strategy")
    assert path == run.path / "explain" / f"{record.candidate}.json"
    assert (told["digest"], told["metric"], told["members"]) == (record.digest, "auroc", 2)
    assert {(effect["modality"], effect["how"]) for effect in told["effects"]} == {
        (modality, how) for modality in ("mean", "error", "worst") for how in ("ablation", "permutation")
    }
    assert [share["name"] for share in told["shares"] if share["kind"] == "modality"]
    assert {each["modality"]: len(each["mean"]) for each in told["features"]} == {"mean": 10, "error": 10, "worst": 10}
    assert told["features"][0]["names"][0] == "mean_radius"
    assert len(list((run.path / "weights" / record.candidate).iterdir())) == 2


def test_a_design_whose_weights_were_not_kept_is_trained_again(tmp_path: Path) -> None:
    data = load_data("wisconsin")
    design = FusionGraph.parse("mean:mlp | worst:mlp\nF1 = cat(mean@L, worst@L) ->", modalities=data.modalities)
    run = search(tmp_path / "run", trials=1, first=[design], keep_weights=0)
    assert not (run.path / "weights").exists()
    told = json.loads(explain(run, metric="accuracy", repeats=1, features=False).read_text())
    assert told["features"] == []
    assert (told["metric"], told["shares"]) == ("accuracy", [])
    assert {effect["modality"] for effect in told["effects"]} == {"mean", "worst"}
    assert (run.path / "weights" / run.pick().candidate).is_dir()


def test_a_design_is_explained_with_the_budget_of_its_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = search(tmp_path / "run", trials=1, budget=Budget(epochs=1, members=1), keep_weights=0)
    assert run.pick().budget == {"epochs": 1, "members": 1, "seed": None}
    trained: list[Budget] = []
    train = TrainingEvaluator.train_members
    monkeypatch.setattr(
        TrainingEvaluator, "train_members", lambda self, candidate, budget: trained.append(budget) or train(self, candidate, budget)
    )
    told = json.loads(explain(run, metric="accuracy", repeats=1, features=False).read_text())
    assert trained == [Budget(epochs=1, members=1)]
    assert told["members"] == 1
    assert len(list((run.path / "weights" / run.pick().candidate).iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, content: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fusearch.evaluators.explanation.explain.replace_file", fail)
    with pytest.raises(RunError, match=r"cannot write '.*\.json': No space left on device"):
        explain(run, "strategy", repeats=1, features=False)


def test_what_cannot_be_explained_is_one_line(run: Run) -> None:
    with pytest.raises(RunError, match="no design 'nonsense'"):
        explain(run, "nonsense")
    with pytest.raises(EvaluationError, match="metric 'rmse' is none of the task's"):
        explain(run, "strategy", metric="rmse")
    with pytest.raises(EvaluationError, match="repeats is 0"):
        explain(run, "strategy", repeats=0)
