"""Every number of a recipe, and every argument of the evaluator, does something: change it, and what comes out changes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from device_of_tests import DEVICE
from toy_data import make_data

from fusearch.contracts import Budget, Evaluation
from fusearch.data import Dataset
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.running_evaluation import _median
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import Candidate, FusionGraph, Recipe

#: Two streams of which one is missing in every tenth row, hidden layers behind the fusions, and an auxiliary output.
DESIGN = "a:mlp | b:mlp | c:mlp\nF1 = cat(a@L, b@L; trunk=fc:1) -> aux\nF2 = cat(F1@L, c@L; trunk=fc:1) ->"

RECIPE: dict[str, Any] = {
    "learning_rate": 3e-3,
    "weight_decay": 1.0,
    "dropout": 0.5,
    "width": 16,
    "class_weights": "balanced",
    "modality_dropout": 0.5,
    "loss_weight": 1.0,
    "sampling": "balanced",
    "focal": 2.0,
}

#: Argument -> (another value, what it shows in).
ARGUMENTS: dict[str, tuple[Any, Callable[[Evaluation], Any]]] = {
    "folds": (3, lambda found: len(found.details["members"])),
    "seeds": (2, lambda found: len(found.details["members"])),
    "epochs": (1, lambda found: found.details["members"][0]["epochs"]),
    "patience": (1, lambda found: found.details["heard"]),
    "batch_size": (8, lambda found: probabilities(found)),
    "threads": (2, lambda found: found.details["threads"]),
    "device": ("meta", lambda found: found.details["device"]),
    "costs": (("latency_ms",), lambda found: "latency_ms" in found),
    "missing": (True, lambda found: "worst_missing_auroc" in found),
    "pack": (2, lambda found: found.details.get("pack")),
    "cache": (0, lambda found: found.details["kept"]),
    "mixed_precision": (False, lambda found: found.details["half"]),  # what is asked for: the CPU has none
}


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Rare positives, so that weights of classes matter."""
    whole = make_data(rows=150)
    keep = np.flatnonzero((whole.targets == 0) | (np.arange(150) % 4 == 0))
    return Dataset.from_arrays(
        "rare",
        modalities={name: whole.raw[name][keep] for name in ("a", "b", "c")},
        targets=whole.targets[keep],
        present={"b": whole.present["b"][keep]},
    )


def evaluate(data: Dataset, training: str = "joint", recipe: Mapping[str, Any] | None = None, **arguments: Any) -> Evaluation:
    settings = {"folds": 2, "epochs": 2, "pack": "off", **arguments}
    graph = FusionGraph.parse(f"{DESIGN}\ntrain = {training}", modalities=data.modalities)
    threads: list[int] = []

    def report(_step: int, _values: Mapping[str, float]) -> None:
        threads.append(torch.get_num_threads())

    half: set[tuple[str, bool]] = set()

    def asked(place: str) -> Callable[[torch.device, bool], None]:
        return lambda _device, wanted: half.add((place, wanted))

    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        evaluator = TrainingEvaluator(data, **{**settings, "device": DEVICE}).caching(Path(folder, "streams"))
        for place in ("modes", "optimization"):  # what computes in half precision, and what scales its gradients
            patch.setattr(f"fusearch.evaluators.training.{place}.mixed_precision", asked(place))
        found = evaluator(Candidate(graph, Recipe(**{"width": 8, "learning_rate": 1e-2, **(recipe or {})})), Budget(), report)
        kept = len(list(Path(folder, "streams").glob("*")))
    assert {place for place, _ in half} == ({"modes", "optimization"} if settings["pack"] == "off" else {"modes"})  # a pack scales nothing
    assert len({wanted for _, wanted in half}) == 1, "both places are told the same"
    device = TrainingEvaluator(data, **{"device": DEVICE, **settings}).prepared(0).train.targets.device.type
    seen = {"threads": threads[0], "heard": len(threads), "device": device, "half": half, "kept": kept}
    return Evaluation(found.metrics, found.spread, {**found.details, **seen}, found.arrays)


def probabilities(found: Evaluation) -> list[float]:
    return found.arrays["probabilities"].ravel().tolist()


def test_the_tables_are_complete() -> None:
    assert {*RECIPE, "augmentation"} == {each.name for each in fields(Recipe)}  # which does nothing to tables: below
    arguments = set(inspect.signature(TrainingEvaluator).parameters) - {"data"}
    assert set(ARGUMENTS) == arguments
    assert {each.name for each in fields(TrainingSettings)} <= arguments


@pytest.fixture(scope="module")
def plain(data: Dataset) -> dict[str, Evaluation]:
    return {training: evaluate(data, training) for training in ("joint", "staged", "frozen")}


@pytest.mark.parametrize("training", ["joint", "staged", "frozen"])
@pytest.mark.parametrize("name", RECIPE)
def test_a_number_of_the_recipe_reaches_the_predictions(name: str, training: str, data: Dataset, plain: dict[str, Evaluation]) -> None:
    changed = evaluate(data, training, {name: RECIPE[name]})
    assert probabilities(changed) != probabilities(plain[training])


@pytest.mark.parametrize("training", ["joint", "staged", "frozen"])
def test_the_same_numbers_give_the_same_predictions(training: str, data: Dataset, plain: dict[str, Evaluation]) -> None:
    assert probabilities(evaluate(data, training)) == probabilities(plain[training])


@pytest.mark.parametrize("training", ["joint", "staged", "frozen"])
def test_changes_of_the_training_rows_reach_the_predictions_of_series_and_not_of_tables(training: str, data: Dataset) -> None:
    rng = np.random.default_rng(0)
    targets = np.arange(80) % 2
    series = rng.normal(size=(80, 12, 2)) + targets[:, None, None] * 0.5
    mixed = Dataset.from_arrays(
        "mixed", modalities={"a": series, "b": rng.normal(size=(80, 3)), "c": rng.normal(size=(80, 3))}, targets=targets
    )
    for each, same in ((data, True), (mixed, False)):
        graph = FusionGraph.parse(f"F1 = cat(a@L, b@L) ->\ntrain = {training}", modalities=each.modalities)
        evaluator = TrainingEvaluator(each, folds=2, epochs=2, pack="off", device=DEVICE)
        found = [
            probabilities(evaluator(Candidate(graph, Recipe(width=8, learning_rate=1e-2, **recipe)), Budget(), lambda step, values: None))
            for recipe in ({}, {"augmentation": "mild"})
        ]
        assert (found[0] == found[1]) == same


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_of_the_evaluator_is_used(name: str, data: Dataset) -> None:
    value, seen = ARGUMENTS[name]
    # So high a rate overshoots at once: patience decides when it ends.
    more = {"patience": {"epochs": 12, "recipe": {"learning_rate": 0.3}}, "cache": {"training": "frozen"}}.get(name, {})
    assert seen(evaluate(data, **more)) != seen(evaluate(data, **more, **{name: value}))


def test_best_epochs_are_the_median_over_members(data: Dataset) -> None:
    found = evaluate(data, folds=5, epochs=12, recipe={"learning_rate": 0.1})
    epochs = sorted(member["epochs"]["fusion"] for member in found.details["members"])
    assert epochs[2] < epochs[-1], "the members end in different epochs"
    assert found.details["best_epochs"] == {"fusion": epochs[2]}
    assert _median([1, 2]) == 2, "half an epoch is rounded up, so that no phase is left untrained"
