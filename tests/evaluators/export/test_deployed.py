from __future__ import annotations

import numpy as np
import pytest
import torch
from toy_tasks import class_task, number_task

from fusearch.data import Dataset
from fusearch.evaluators.export.deployed import DeployedModel, predict_raw
from fusearch.evaluators.export.inputs import raw_values
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.search_space import Candidate, FusionGraph, Recipe


@pytest.fixture(scope="module")
def data() -> Dataset:
    rng = np.random.default_rng(0)
    return Dataset.from_arrays(
        "toy",
        modalities={"mean": rng.normal(3, 2, (40, 4)), "type": rng.normal(size=(40, 5, 2))},
        present={"type": rng.random(40) < 0.7},
        targets=np.arange(40) % 3,
    )


@pytest.mark.parametrize(
    "formula", ["F1 = cat(mean@L, type@L) ->", "type@L ->", "F1 = vote_mean(mean@score, type@score) ->\ntrain = independent"]
)
@pytest.mark.parametrize("regression", [False, True])
def test_it_is_preprocessing_then_networks_then_their_mean(data: Dataset, formula: str, regression: bool) -> None:
    task = number_task().fit(np.array([4.0, 10.0])) if regression else class_task(3)
    graph = FusionGraph.parse(formula, modalities=data.modalities)
    networks = [FusionNetwork.of(Candidate(graph, Recipe(width=8)), task).eval() for _ in range(2)]
    for network in networks:
        for head in (*network.heads, *network.streams.heads.values()):
            head.linear.reset_parameters()  # a fresh head is zero
    rows = np.arange(len(data))
    preprocessor = data.fit_preprocessor(data.rows("train"))
    used = [modality for modality in data.modalities if modality in graph.modalities]
    model = DeployedModel(networks, [part for part in preprocessor.statistics if part.modality in used], task=task)
    arrays, masks = preprocessor.transform(data, rows)
    inputs, present = ({name: torch.tensor(values) for name, values in part.items()} for part in (arrays, masks))
    with torch.no_grad():
        found = model({name: torch.tensor(values) for name, values in raw_values(data, used, rows).items()})
        each = [network(inputs, present) for network in networks]
    if not regression:
        expected = torch.stack([logits.softmax(dim=1) for logits in each]).mean(dim=0)
        torch.testing.assert_close(found.sum(dim=1), torch.ones(len(data)))
    else:
        expected = torch.stack([7.0 + 3.0 * output for output in each]).mean(dim=0)
    torch.testing.assert_close(found, expected)


def test_arrays_are_predicted_in_portions_as_at_once(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = FusionGraph.parse("F1 = cat(mean@L, type@L) ->", modalities=data.modalities)
    model = DeployedModel(
        [FusionNetwork.of(Candidate(graph, Recipe(width=8)), class_task(3)).eval()],
        data.fit_preprocessor(data.rows("train")).statistics,
        task=class_task(3),
    )
    raw = raw_values(data, data.modalities, np.arange(len(data)))
    at_once = predict_raw(model, raw)
    monkeypatch.setattr("fusearch.evaluators.export.deployed._BATCH", 7)
    np.testing.assert_allclose(predict_raw(model, raw), at_once, atol=1e-6)
    assert at_once.shape == (len(data), 3)
