from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import pytest

from fusearch.data import Dataset
from fusearch.evaluators.export.choice import Choice, read_choice
from fusearch.evaluators.export.documents import REQUIREMENTS, describe_design, describe_metrics, requirements
from fusearch.run import Run

MakeRun = Callable[..., Run]


@pytest.fixture(scope="module")
def data() -> Dataset:
    rng = np.random.default_rng(0)
    views = {name: rng.normal(size=(60, 3)) for name in ("a", "b")}
    return Dataset.from_arrays("toy", modalities=views, targets=np.arange(60) % 2)


@pytest.fixture(scope="module")
def run(make_run: MakeRun, data: Dataset) -> Run:
    return make_run(data, {"F1 = cat(a@L, b@L) ->": None, "a@L ->": "best_unimodal"})


@pytest.fixture(scope="module")
def choice(run: Run, data: Dataset) -> Choice:
    return read_choice(run, run.records()[0], data)


def test_the_design_is_told_in_three_forms(choice: Choice, data: Dataset) -> None:
    document = describe_design([choice], data, seeds=[3])
    assert document["formula"] == "a:mlp | b:mlp\nF1 = cat(a@2, b@2) ->"
    assert document["formula_review"] == "F1 = ⊕(x1^2, x2^2) →"
    assert document["graph"]["streams"][0]["name"] == "a"
    assert (document["digest"], document["candidate"]) == (choice.record.digest, choice.record.candidate)
    assert document["labels"]["synchronous"] is True
    assert document["task"] == {
        "kind": "classification",
        "name": "target",
        "labels": ["0", "1"],
        "predicts": "one of 0, 1",
        "note": "Positive class: 1 (second of 0, 1); `labels` in the manifest says the order.",
        "says": "class probabilities",
    }
    assert document["epochs"] == dict(choice.epochs)
    assert document["versions"]["torch"] == version("torch")


def test_metrics_say_how_they_came_about(run: Run, choice: Choice) -> None:
    differences = {"model.pt2": 0.0, "model.onnx": 1e-7}
    document = describe_metrics(
        [choice],
        choice.record.values,
        candidates=sum(record.evaluated for record in run.records()),
        confirmed=None,
        file_differences=differences,
        tolerance=1e-4,
    )
    assert (document["members"], document["candidates_evaluated"], document["correction"]) == (2, 2, None)
    assert document["search"]["auroc"] == {"mean": choice.record.values["auroc"], "spread": choice.record.spread["auroc"]}
    assert "over the 2 trainings" in document["note"]
    assert "optimistic" in document["note"]
    assert (document["file_differences"], document["tolerance"], document["confirmed"]) == (differences, 1e-4, None)


def test_a_team_is_told_as_a_whole_and_by_its_members(run: Run, data: Dataset) -> None:
    choices = [read_choice(run, record, data) for record in run.records()]
    document = describe_design(choices, data, seeds=[3, 1])
    assert [member["digest"] for member in document["members"]] == document["digest"].split("+")
    assert ([member["seeds"] for member in document["members"]], document["seeds"]) == ([3, 1], 3)
    assert document["formula"] == "\n\n".join(member["formula"] for member in document["members"])
    assert sum(document["epochs"].values()) == sum(sum(choice.epochs.values()) for choice in choices)
    metrics = describe_metrics(choices, {"auroc": 0.9}, candidates=2, confirmed=None, file_differences={}, tolerance=1e-4)
    assert metrics["trial"] == [0, 1]
    assert metrics["search"] == {"auroc": {"mean": 0.9, "spread": None}}
    assert "the mean of what 2 designs said" in metrics["note"]


def test_requirements_are_what_the_script_imports() -> None:
    inputs = {"modalities": {"age": {}, "ct": {"packages": ["pandas", "pyyaml"]}, "mr": {"packages": ["pandas"]}}}
    lines = requirements(inputs).splitlines()
    assert lines == [f"{name}>={version(name)}" for name in (*REQUIREMENTS, "pandas", "pyyaml")]
