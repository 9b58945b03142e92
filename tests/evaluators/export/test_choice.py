from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from device_of_tests import DEVICE

from fusearch.data import Dataset, load_data
from fusearch.data.given_weights import GivenWeights
from fusearch.errors import RunError
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.export.choice import load_choice_data, read_choice
from fusearch.layout import CONFIG
from fusearch.run import Run

MakeRun = Callable[..., Run]


@pytest.fixture(scope="module")
def data() -> Dataset:
    rng = np.random.default_rng(0)
    views = {name: rng.normal(size=(60, 3)) for name in ("a", "b")}
    return Dataset.from_arrays("toy", modalities=views, targets=np.arange(60) % 2)


@pytest.fixture(scope="module")
def run(make_run: MakeRun, data: Dataset) -> Run:
    return make_run(data, {"b:mlp | a:mlp\nF1 = cat(b@L, a@L) ->\ntrain = staged": None})


def changed(run: Run, folder: Path, evaluator: dict[str, Any]) -> Run:
    shutil.copytree(run.path, folder)
    (folder / CONFIG).write_text(yaml.safe_dump(run.config | {"evaluator": evaluator}))
    return Run(folder)


def test_a_choice_is_the_design_with_the_epochs_of_its_members(run: Run, data: Dataset) -> None:
    record = run.pick()
    choice = read_choice(run, record, data)
    assert choice.candidate.digest == record.candidate
    assert choice.candidate.graph.digest == record.digest
    assert set(choice.epochs) == {"a", "b", "fusion"}
    assert set(choice.epochs.values()) <= {1, 2}
    assert choice.batch_size == 64
    assert [modality.name for modality in choice.modalities] == ["a", "b"]


def test_batches_are_as_large_as_in_the_search(run: Run, data: Dataset, tmp_path: Path) -> None:
    other = changed(run, tmp_path / "run", TrainingEvaluator(data, batch_size=8, device=DEVICE).describe())
    assert read_choice(other, other.pick(), data).batch_size == 8


def test_the_data_are_loaded_again_by_their_name(make_run: MakeRun) -> None:
    data = load_data("wisconsin")
    assert load_choice_data(make_run(data, {"F1 = cat(mean@0, worst@0) ->": None})) == data


def test_a_relative_manifest_is_found_from_anywhere(make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    rows = [f"p{row},{row * 0.37 % 1},{row % 2}" for row in range(40)]
    (tmp_path / "data" / "table.csv").write_text("\n".join(["patient,x,y", *rows]))
    task, table = {"kind": "classification", "file": "table.csv", "column": "y"}, {"kind": "tabular", "file": "table.csv", "columns": ["x"]}
    manifest = {"name": "toy", "id": "patient", "task": task, "modalities": {"a": table}}
    (tmp_path / "data" / "toy.yaml").write_text(yaml.safe_dump(manifest))
    monkeypatch.chdir(tmp_path)
    data = load_data("data/toy.yaml")
    run = changed(make_run(data, {"a@L ->": None}), tmp_path / "runs" / "first", TrainingEvaluator(data, device=DEVICE).describe())
    assert load_choice_data(run) == data
    monkeypatch.chdir("/")
    assert load_choice_data(run).fingerprint == data.fingerprint


def test_data_in_memory_must_be_given(run: Run, data: Dataset) -> None:
    assert load_choice_data(run, data) is data
    with pytest.raises(RunError, match="was searched on 'toy', a data set in memory: give it as `data`"):
        load_choice_data(run)


def test_other_data_are_refused_with_both_fingerprints(run: Run, data: Dataset) -> None:
    other = load_data("wisconsin")
    with pytest.raises(RunError, match=rf"data changed, fingerprint {data.fingerprint} in the run and {other.fingerprint} now"):
        load_choice_data(run, other)


def test_a_run_without_data_has_nothing_to_refit(run: Run, data: Dataset, tmp_path: Path) -> None:
    other = changed(run, tmp_path / "run", {"name": "mine.evaluate"})
    with pytest.raises(RunError, match="was not searched on a data set"):
        load_choice_data(other, data)


def test_a_trial_of_another_evaluator_is_refused(run: Run, data: Dataset) -> None:
    record = run.pick()
    del record.details["best_epochs"]
    with pytest.raises(RunError, match=r"trial 0 of run .* has no 'best_epochs'"):
        read_choice(run, record, data)


def test_a_project_that_moved_is_found_or_asked_for(make_run: MakeRun, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    rng = np.random.default_rng(0)
    pd.DataFrame({"y": np.arange(40) % 2, "a": rng.normal(size=40), "b": rng.normal(size=40)}).to_csv(project / "labels.csv", index=False)
    (project / "study.yaml").write_text(
        "task: {kind: classification, file: labels.csv, column: y}\nmodalities:\n  t: {kind: tabular, file: labels.csv}\n"
    )
    made = make_run(load_data(project / "study.yaml"), {"t:mlp\nt@L ->": None})
    run = Run(shutil.copytree(made.path, project / "runs" / "a"))
    moved = project.rename(tmp_path / "moved")
    run = Run(moved / "runs" / "a")
    assert load_choice_data(run).fingerprint == run.config["evaluator"]["data"]["fingerprint"]
    lonely = Run(shutil.copytree(run.path, tmp_path / "far" / "a"))
    with pytest.raises(RunError, match=r"was searched on '.*study.yaml', which is not there: say where it is now by `--data`"):
        load_choice_data(lonely)
    assert load_choice_data(lonely, moved / "study.yaml").name == "study"
    with pytest.raises(RunError, match="the data changed"):
        load_choice_data(lonely, "wisconsin")


def test_weights_that_changed_are_named_and_not_the_data(tmp_path: Path, data: Dataset) -> None:
    def started(content: bytes) -> Dataset:
        (tmp_path / "tab.pt").write_bytes(content)
        return data.starting_from(GivenWeights.read("a", "mlp(width=4)", tmp_path / "tab.pt"))

    one = started(b"one")
    config = {"format": 1, "objectives": [{"name": "auroc", "direction": "maximize"}], "evaluator": {"data": one.identity}}
    (tmp_path / CONFIG).write_text(yaml.safe_dump(config), encoding="utf-8")
    assert load_choice_data(Run(tmp_path), one) is one
    with pytest.raises(RunError, match=r"data set 'toy' is not that of run '.*': weights 'tab.pt' of a:mlp\(width=4\) changed, digest"):
        load_choice_data(Run(tmp_path), started(b"two"))
    with pytest.raises(RunError, match="from none now"):
        load_choice_data(Run(tmp_path), data)
