"""What a training does about rare classes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from toy_data import make_data
from toy_tasks import class_task

from fusearch.contracts import Budget
from fusearch.data import Dataset
from fusearch.errors import EvaluationError
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.tasks import bind_task
from fusearch.evaluators.training.balance import Balance, constant_logits, row_weights
from fusearch.search_space import Candidate, FusionGraph, Recipe
from fusearch.tasks.regression import Regression

TARGETS = torch.tensor([0, 0, 0, 1, 2, 2])


@lru_cache
def rare(kind: str) -> Dataset:
    """One row of twenty is of the rare class, which two columns tell, with much overlap; of several labels each is as rare."""
    rng = np.random.default_rng(0)
    codes = np.arange(600) % 20 == 0
    other = (np.arange(600) % 20 == (np.arange(600) // 20) % 3).astype(float)
    a, b = rng.normal(size=(600, 3)), rng.normal(size=(600, 3))
    a[:, 0] += 1.5 * codes
    b[:, 0] += 1.5 * codes
    b[:, 1] += 2.5 * other
    if kind == "multilabel":
        return Dataset.from_arrays(
            "rare", modalities={"a": a, "b": b}, targets={"rare": codes.astype(int), "other": other.astype(int)}, task="multilabel"
        )
    classes = np.where(codes, 1, 2 * other) if kind == "three classes" else codes.astype(int)
    return Dataset.from_arrays("rare", modalities={"a": a, "b": b}, targets=classes.astype(int))


def found(kind: str, **recipe: Any) -> float:
    """Return the balanced accuracy out of fold, of several labels its mean."""
    data = rare(kind)
    graph = FusionGraph.parse("F1 = cat(a@L, b@L) ->", modalities=data.modalities)
    evaluator = TrainingEvaluator(data, folds=2, epochs=8)
    evaluation = evaluator(Candidate(graph, Recipe(width=8, learning_rate=1e-2, **recipe)), Budget(), lambda step, values: None)
    if kind != "multilabel":
        return evaluation["balanced_accuracy"]
    truth, told = evaluation.arrays["targets"] > 0.5, evaluation.arrays["label_probabilities"] > 0.5
    return float(np.mean([(told[truth[:, at], at].mean() + (~told[~truth[:, at], at]).mean()) / 2 for at in range(2)]))


@pytest.mark.parametrize("recipe", [{"class_weights": "balanced"}, {"sampling": "balanced"}], ids=str)
@pytest.mark.parametrize("kind", ["two classes", "three classes", "multilabel"])
def test_a_rare_class_is_found_where_classes_are_balanced(kind: str, recipe: dict[str, Any]) -> None:
    assert found(kind, **recipe) > found(kind) + 0.1


def test_the_focal_loss_of_balanced_classes_finds_the_rare_class_too() -> None:
    assert found("two classes", class_weights="balanced", focal=2.0) > found("two classes") + 0.1
    assert found("two classes", focal=2.0) >= found("two classes"), "by itself it is mild: what is told well counts less"


def test_weights_count_in_training_and_where_epochs_are_chosen_and_sampling_there_alone() -> None:
    task = class_task(3)
    weights = task.class_weights(TARGETS)
    weighted, sampled = (Balance.of(Recipe(**{name: "balanced"}), task, TARGETS) for name in ("class_weights", "sampling"))
    torch.testing.assert_close((weighted.class_weights, weighted.held_weights), (weights, weights))
    assert sampled.class_weights is None
    torch.testing.assert_close(sampled.held_weights, weights)
    assert Balance.of(Recipe(), task, TARGETS) == Balance()
    torch.testing.assert_close(row_weights(Recipe(sampling="balanced"), task, TARGETS), weights[TARGETS])
    assert row_weights(Recipe(class_weights="balanced"), task, TARGETS) is None


@pytest.mark.parametrize("recipe", [Recipe(sampling="balanced"), Recipe(focal=1.0)])
def test_a_task_without_classes_refuses_what_balances_them(recipe: Recipe) -> None:
    with pytest.raises(EvaluationError, match=r"recipe: (sampling is balanced|focal is 1.0), but a regression has no classes to balance"):
        Balance.of(recipe, bind_task(Regression("value")), torch.zeros(4))
    data = make_data(task="regression", rows=30)
    graph = FusionGraph.parse("F1 = cat(a@L, b@L) ->", modalities=data.modalities)
    with pytest.raises(EvaluationError, match="has no classes to balance"):
        TrainingEvaluator(data, folds=2, epochs=1)(Candidate(graph, recipe), Budget(), lambda step, values: None)


@pytest.mark.parametrize("task", ["classification", "multilabel"])
@pytest.mark.parametrize("late", [False, True])
def test_members_start_from_the_shares_of_their_own_fold(task: str, late: bool) -> None:
    """Whether they are trained together or not: the event is rare in one centre and frequent in the other, and steps are tiny."""
    joined, voted = "F1 = cat(a@L, b@L) ->", "train = independent\nF1 = vote_mean(a@score, b@score) ->"
    rng = np.random.default_rng(0)
    centres = np.array(["x", "y"]).repeat(60)
    sick = (np.arange(120) % 10 < np.where(centres == "x", 1, 8)).astype(int)
    targets = {"sick": sick, "well": 1 - sick} if task == "multilabel" else sick
    arrays = {name: rng.normal(size=(120, 3)) for name in "ab"}
    kept: dict[str, Any] = {"groups": centres, "splits": np.where(centres == "x", "train", "val")}
    data = Dataset.from_arrays("toy", modalities=arrays, targets=targets, task=task, **kept)
    graph = FusionGraph.parse(f"a:mlp | b:mlp\n{voted if late else joined}", data.modalities)
    candidate = Candidate(graph, Recipe(learning_rate=1e-9, dropout=0.0))
    alone, packed = (TrainingEvaluator(data, folds=2, epochs=1, pack=pack, device="cpu") for pack in ("off", 2))
    said = [each(candidate, Budget(), lambda *_: None) for each in (alone, packed)]
    assert said[1].details["pack"] == {"members": 2}
    loss = "log_loss" if task == "classification" else "mean_log_loss"
    assert said[1][loss] == pytest.approx(said[0][loss], abs=1e-6)
    pairs = ((0.1, 48.5 / 61), (0.8, 6.5 / 61))  # what the one centre has, and what the other one says of it
    expected = -np.mean([share * np.log(other) + (1 - share) * np.log(1 - other) for share, other in pairs])
    assert said[0][loss] == pytest.approx(expected, abs=1e-4)


def test_balanced_classes_start_alike() -> None:
    layer = class_task(3)
    for balanced in (Recipe(class_weights="balanced"), Recipe(sampling="balanced")):
        torch.testing.assert_close(constant_logits(balanced, layer, TARGETS), torch.zeros(3), atol=1e-6, rtol=0)
    said = constant_logits(Recipe(), layer, TARGETS)
    assert said is not None
    torch.testing.assert_close(said.softmax(dim=0), torch.tensor([3.5, 1.5, 2.5]) / 7.5)
    assert constant_logits(Recipe(), bind_task(Regression("y")), torch.randn(6)) is None
