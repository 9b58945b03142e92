"""Feature attributions: laws of integrated gradients and occlusion, and the planted signal."""

from __future__ import annotations

import builtins
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from device_of_tests import DEVICE
from toy_data import make_data
from toy_tasks import class_task

from fusearch.contracts import Budget
from fusearch.data import Dataset
from fusearch.data.modality import Modality
from fusearch.errors import EvaluationError
from fusearch.evaluators import FusionNetwork, TrainingEvaluator
from fusearch.evaluators.explanation.attribution import (
    Attribution,
    _explained,
    _integrated_gradients,
    _occlusion,
    attribute_features,
    attribution_method,
)
from fusearch.evaluators.training.member import make_members
from fusearch.evaluators.training.samples import Samples
from fusearch.evaluators.training.transfer import WeightStore
from fusearch.search_space import Candidate, FusionGraph, Recipe

LINEAR = "F1 = cat(a@0, b@0) ->"
DEEP = "a:mlp | b:mlp\nF1 = cat(a@L, b@L) ->"


def attribute(data: Dataset, formula: str, folder: Path, *, epochs: int = 20, **settings: Any) -> tuple[dict[str, Attribution], Any]:
    evaluator = TrainingEvaluator(data, folds=2, epochs=epochs, device=DEVICE).keeping(folder)
    candidate = Candidate(FusionGraph.parse(formula, modalities=data.modalities), Recipe(width=16, dropout=0.0))
    for _ in evaluator.train_members(candidate, Budget()):
        pass
    weights, members = WeightStore(folder), make_members(2, 1)
    found = attribute_features(evaluator, candidate, weights, members, **settings)
    return {each.modality: each for each in found}, (evaluator, candidate, weights, members)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_of_a_linear_model_they_are_weight_times_value(task: str, tmp_path: Path) -> None:
    found, (evaluator, _, weights, members) = attribute(make_data(task=task), LINEAR, tmp_path)
    expected = []
    for member in members:
        weight = weights.load(evaluator_digest(tmp_path), member).weights["heads.0.linear.weight"]
        prepared = evaluator.prepared(member.fold)
        # With two classes the log odds of either are the difference of the logits, up to its sign.
        leaving = weight[0] if task == "regression" else weight[1] - weight[0]
        expected.append((leaving[:4].abs() * prepared.validation.inputs["a"].abs().mean(dim=0).cpu()).numpy() * prepared.task.unit)
    assert found["a"].mean == pytest.approx(np.mean(expected, axis=0), rel=1e-4)
    assert found["a"].spread == pytest.approx(np.std(expected, axis=0, ddof=1), rel=1e-3)
    assert found["a"].unit == ("target" if task == "regression" else "log odds of the predicted class")


def evaluator_digest(folder: Path) -> str:
    (only,) = folder.iterdir()
    return only.name


@pytest.mark.parametrize("formula", [DEEP, "a:mlp | b:mlp\nF1 = vote_majority(a@score, b@score) ->\ntrain = independent"])
def test_the_planted_columns_come_first(formula: str, tmp_path: Path) -> None:
    found, _ = attribute(make_data(rows=200), formula, tmp_path, epochs=40)
    assert set(found) == {"a", "b"}  # what the design does not read has no attribution
    for attribution in found.values():
        assert attribution.mean.argmax() == 0
        assert attribution.method == ("occlusion" if "vote" in formula else "integrated gradients")


def test_samples_that_lack_a_modality_do_not_count(tmp_path: Path) -> None:
    data = make_data(rows=60)
    found, (evaluator, candidate, weights, members) = attribute(data, DEEP, tmp_path, epochs=3)
    for fold in range(2):
        held_out = evaluator.prepared(fold).validation
        held_out.inputs["b"][~held_out.present["b"]] = 1e3
    again = {each.modality: each for each in attribute_features(evaluator, candidate, weights, members)}
    assert again["b"].mean == pytest.approx(found["b"].mean, rel=1e-4)


def test_the_mean_is_over_the_samples_that_have_the_modality(tmp_path: Path) -> None:
    found, (evaluator, _, weights, members) = attribute(make_data(task="regression"), LINEAR, tmp_path)
    expected = []
    for member in members:
        weight = weights.load(evaluator_digest(tmp_path), member).weights["heads.0.linear.weight"]
        prepared = evaluator.prepared(member.fold)
        there = prepared.validation.present["b"]
        assert not there.all()
        expected.append((weight[0, 4:].abs() * prepared.validation.inputs["b"][there].abs().mean(dim=0)).numpy() * prepared.task.unit)
    assert found["b"].mean == pytest.approx(np.mean(expected, axis=0), rel=1e-4)


def test_the_seed_decides_which_samples_are_looked_at(tmp_path: Path) -> None:
    first, known = attribute(make_data(), LINEAR, tmp_path, epochs=2, samples=10)
    again, other = (attribute_features(*known, samples=10, seed=seed)[0] for seed in (0, 1))
    assert again.mean.tolist() == first["a"].mean.tolist() != other.mean.tolist()


def test_integrated_gradients_add_up_to_the_change_of_the_output() -> None:
    modalities = (Modality("a", "tabular", (4,)), Modality("s", "timeseries", (6, 2)))
    network = make_network(modalities, "a:mlp | s:gru\nF1 = film(a@L, s@L) ->")
    inputs = {"a": torch.randn(5, 4), "s": torch.randn(5, 6, 2)}
    samples = Samples(inputs, {name: torch.ones(5, dtype=torch.bool) for name in inputs}, torch.zeros(5, dtype=torch.int64))
    values = _integrated_gradients(network, class_task(3), samples, ["a", "s"])
    forward, held = _explained(network, class_task(3), samples, ["a", "s"])
    change = forward(*inputs.values(), *held) - forward(*(torch.zeros_like(each) for each in inputs.values()), *held)
    total = sum(value.flatten(1).sum(dim=1) for value in values.values())
    torch.testing.assert_close(total, change, rtol=0.03, atol=0.02)
    assert (change - change.mean()).abs().max() > 0.1


def make_network(modalities: tuple[Modality, ...], formula: str) -> FusionNetwork:
    torch.manual_seed(0)
    network = FusionNetwork(FusionGraph.parse(formula, modalities=modalities), 3, Recipe(width=8)).eval()
    for head in (*network.heads, *network.streams.heads.values()):
        torch.nn.init.normal_(head.linear.weight)
    return network


@pytest.mark.parametrize(
    ("modality", "encoder", "window", "expected"),
    [
        (Modality("m", "image2d", (2, 9, 20)), "cnn", (2, 2, 3), (5, 7)),
        (Modality("m", "volume3d", (1, 4, 6, 8)), "cnn3d", (1, 1, 2, 2), (4, 3, 4)),
        (Modality("m", "sequence", (70,)), "text_cnn", (2,), (35,)),
        (Modality("m", "graph", (6, 2 + 6)), "deepset", (1, 8), (6,)),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_occlusion_is_the_change_without_a_window(
    modality: Modality, encoder: str, window: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    network = make_network((modality, Modality("t", "tabular", (2,))), f"m:{encoder} | t:mlp\nF1 = cat(m@L, t@0) ->")
    assert attribution_method(network.graph, modality) == "occlusion"
    values = torch.randint(1, 9, (4, *modality.shape)).float()
    samples = Samples(
        {"m": values, "t": torch.randn(4, 2)}, {name: torch.ones(4, dtype=torch.bool) for name in "mt"}, torch.zeros(4, dtype=torch.int64)
    )
    found = _occlusion(network, class_task(3), samples, "m")
    assert found.shape == (4, *expected)
    forward, held = _explained(network, class_task(3), samples, ["m"])
    starts = [range(0, size, step) for size, step in zip(modality.shape, window, strict=True)]
    changes = []
    for corner in itertools.product(*starts):
        without = values.clone()
        without[(slice(None), *(slice(start, start + step) for start, step in zip(corner, window, strict=True)))] = 0
        changes.append(forward(values, *held) - forward(without, *held))
    torch.testing.assert_close(found.flatten(1), torch.stack(changes, dim=1).detach(), rtol=1e-4, atol=1e-4)
    assert found.abs().max() > 1e-2


def test_without_captum_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    honest = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name.startswith("captum"):
            raise ImportError(name)
        return honest(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(EvaluationError, match=r"pip install 'fusearch\[explain\]'"):
        attribute(make_data(rows=40), LINEAR, tmp_path, epochs=1)
