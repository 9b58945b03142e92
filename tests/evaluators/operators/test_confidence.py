"""Gates by confidence and their losses against their equations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from device_of_tests import DEVICE
from torch import Tensor
from toy_data import make_data
from toy_tasks import class_task, number_task

from fusearch.contracts import Budget
from fusearch.data.modality import Modality
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.operator_layer import Losses
from fusearch.search_space import Candidate, FusionGraph, Recipe
from fusearch.search_space.published import PUBLISHED
from fusearch.testing import OperatorSuite, affine


def gate(layer: Any, m: int, token: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-affine(layer.gate[m], token)))


class TestConfidenceGate(OperatorSuite):
    name = "confidence_gate"
    features_move = True

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        parts = []
        for m, x in enumerate(xs):
            features = [token * gate(layer, m, token) for token in x]
            confidence = affine(layer.confidence[m], sum(features) / len(features))
            parts.append([confidence * token for token in features])
        return torch.stack([torch.cat([part[t] for part in parts]) for t in range(len(xs[0]))])

    @pytest.mark.parametrize("regression", [False, True])
    @torch.no_grad()
    def test_losses_match_their_naive_twin(self, regression: bool) -> None:
        layer: Any = self.build(self.shapes())
        xs, present = self.inputs(self.shapes())
        targets = torch.tensor([0.3, -1.0, 2.0, 0.0, 1.0]).double() if regression else torch.tensor([2, 0, 1, 2, 1])
        losses = Losses(targets, number_task() if regression else class_task(3))
        layer(xs, present, losses)
        expected = 0.0
        for m, (x, mask) in enumerate(zip(xs, present, strict=True)):
            rows = []
            for row in range(5):
                if mask[row]:
                    gates = [gate(layer, m, token) for token in x[row]]
                    vector = sum(g * token for g, token in zip(gates, x[row], strict=True)) / len(gates)
                    outputs = affine(layer.classify[m], vector).tolist()
                    if regression:
                        error = (outputs[0] - float(targets[row])) ** 2
                    else:
                        error = -math.log(math.exp(outputs[targets[row]]) / sum(math.exp(value) for value in outputs))
                    informative = float(torch.stack(gates).mean())
                    rows.append(informative + (float(affine(layer.confidence[m], vector)) - math.exp(-error)) ** 2 + error)
            expected += sum(rows) / len(rows)
        assert float(losses.total()) == pytest.approx(expected, rel=1e-10)


def naive_certainty(outputs: list[float], target: float, *, regression: bool) -> tuple[float, float]:
    """Return the probability of the truth and the cross-entropy."""
    if regression:
        return math.exp(-((outputs[0] - target) ** 2)), (outputs[0] - target) ** 2
    probability = math.exp(outputs[int(target)]) / sum(math.exp(value) for value in outputs)
    return probability, -math.log(probability)


class TestMultimodalDynamics(OperatorSuite):
    name = "multimodal_dynamics"
    params: ClassVar = {"classes": 3}
    features_move = True

    def encoded(self, layer: Any, m: int, x: Tensor) -> tuple[list[Tensor], Tensor, Tensor, float]:
        """Return the gates, the features after the encoder, their mean and the confidence of one modality."""
        gates = [gate(layer, m, token) for token in x]
        features = [torch.relu(affine(layer.encode[m], g * token)) for g, token in zip(gates, x, strict=True)]
        mean = sum(features) / len(features)
        return gates, torch.stack(features), mean, float(affine(layer.confidence[m], mean))

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        parts = []
        for m, x in enumerate(xs):
            _, features, _, confidence = self.encoded(layer, m, x)
            parts.append(confidence * features * here[m])
        return torch.cat(parts, dim=1)

    @pytest.mark.parametrize("regression", [False, True])
    @torch.no_grad()
    def test_losses_match_their_naive_twin(self, regression: bool) -> None:
        layer: Any = self.build(self.shapes())
        xs, present = self.inputs(self.shapes())
        targets = torch.tensor([0.3, -1.0, 2.0, 0.0, 1.0]).double() if regression else torch.tensor([2, 0, 1, 2, 1])
        losses = Losses(targets, number_task() if regression else class_task(3))
        layer(xs, present, losses)
        expected = 0.0
        for m, (x, mask) in enumerate(zip(xs, present, strict=True)):
            rows = []
            for row in [row for row in range(5) if mask[row]]:
                gates, _, mean, confidence = self.encoded(layer, m, x[row])
                outputs = affine(layer.classify[m], mean).tolist()
                probability, error = naive_certainty(outputs, float(targets[row]), regression=regression)
                rows.append(float(torch.stack(gates).mean()) + (confidence - probability) ** 2 + error)
            expected += sum(rows) / len(rows)
        assert float(losses.total()) == pytest.approx(expected, rel=1e-10)


def test_the_published_network_has_the_published_loss() -> None:
    """Study 36, forward and loss, written from Han et al.: one number for the network, its recipe and the operator's losses."""
    study = PUBLISHED["mmdynamics"]
    design, recipe, classes, rows = study.design(), study.recipe(), 3, 7
    network = FusionNetwork(design, classes, recipe).eval()
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape)
    inputs = {modality.name: torch.randn(rows, *modality.shape) for modality in design.modalities}
    labels = torch.arange(rows) % classes
    losses = Losses(labels, class_task(classes))
    output = network.run(inputs, {name: torch.ones(rows, dtype=torch.bool) for name in inputs}, losses)
    ours = class_task(classes).loss(output.main, labels, None) + recipe.loss_weight * losses.total()

    weights = {name: value.detach().numpy().astype(np.float64) for name, value in network.named_parameters()}

    def linear(name: str, x: Any) -> Any:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def cross_entropy(logits: Any) -> Any:
        return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(rows), labels.numpy()]

    total, scaled = 0.0, []
    for m, name in enumerate(("mrna", "meth", "mirna")):
        x = inputs[name].numpy().astype(np.float64).reshape(rows, -1)
        layer = "joins.fusion_F1.layer"
        informative = 1 / (1 + np.exp(-linear(f"{layer}.gate.{m}", x)))
        feature = np.maximum(0, linear(f"{layer}.encode.{m}", x * informative))
        logits, confidence = linear(f"{layer}.classify.{m}", feature), linear(f"{layer}.confidence.{m}", feature)[:, 0]
        truth = np.exp(-cross_entropy(logits))
        total += informative.mean() + ((confidence - truth) ** 2).mean() + cross_entropy(logits).mean()
        scaled.append(feature * confidence[:, None])
    fused = linear("heads.0.linear", np.concatenate(scaled, axis=1))
    np.testing.assert_allclose(output.main.detach().numpy(), fused, rtol=1e-4, atol=1e-5)
    assert float(ours.detach()) == pytest.approx(total + cross_entropy(fused).mean(), rel=1e-5)
    assert scaled[0].shape == (rows, 1000)


@pytest.mark.parametrize("operator", ["confidence_gate", "multimodal_dynamics"])
@pytest.mark.parametrize("classes", [3, 16, 17, 40])
def test_it_trains_with_any_number_of_classes(operator: str, classes: int) -> None:
    tables = [Modality(name, "tabular", (4,)) for name in "ab"]
    network = FusionNetwork(FusionGraph.parse(f"F1 = {operator}(a@0, b@0) ->", modalities=tables), classes, Recipe(width=4))
    labels = torch.arange(classes).repeat(20)  # of a few rows a unit may be silent for all
    losses = Losses(labels, class_task(classes))
    inputs = {name: torch.randn(len(labels), 4) for name in "ab"}
    network.run(inputs, {name: torch.ones(len(labels), dtype=torch.bool) for name in "ab"}, losses)
    losses.total().backward()  # type: ignore[no-untyped-call]  # torch has no type for it
    layer: Any = network.join("F1").layer
    assert losses.total().isfinite()
    assert layer.classify[0].weight.grad.abs().sum(dim=1).min() > 0
    assert layer.classify[0].out_features == max(classes, 16 if operator == "confidence_gate" else 1)


@pytest.mark.parametrize("operator", ["confidence_gate", "multimodal_dynamics"])
def test_a_search_of_more_than_16_classes_trains_it(operator: str) -> None:
    data = make_data(rows=120, classes=20)
    candidate = Candidate(FusionGraph.parse(f"F1 = {operator}(a@0, b@0) ->", data.modalities), Recipe(width=8))
    found = TrainingEvaluator(data, folds=2, epochs=2, device=DEVICE)(candidate, Budget(), lambda _step, _values: None)
    assert math.isfinite(found["log_loss"])
