"""Optimizations of a small design, to be stacked."""

from __future__ import annotations

import torch

from fusearch.data.modality import Modality
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.tasks import bind_task
from fusearch.evaluators.training.balance import Balance
from fusearch.evaluators.training.phase import DesignLoss, Phase
from fusearch.evaluators.training.row_order import RowOrder
from fusearch.evaluators.training.samples import Samples
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import FusionGraph, Recipe
from fusearch.tasks.classification import Classification

__all__ = ["phase_of", "samples"]

TABLES = (Modality("a", "tabular", (4,)), Modality("b", "tabular", (3,)))
GRAPH = FusionGraph.parse("F1 = cat(a@L, b@L) ->", modalities=TABLES)
TASK = bind_task(Classification("class", ("no", "yes")))


def samples(count: int, seed: int) -> Samples:
    generator = torch.Generator().manual_seed(seed)
    inputs = {table.name: torch.randn(count, *table.shape, generator=generator) for table in TABLES}
    return Samples(inputs, {name: torch.ones(count, dtype=torch.bool) for name in inputs}, torch.arange(count) % 2)


def phase_of(recipe: Recipe, *, rows: int = 20, epochs: int = 3, patience: int = 10, half: torch.dtype | None = None) -> Phase:
    torch.manual_seed(0)
    network = FusionNetwork(GRAPH, 2, recipe)
    settings = TrainingSettings(epochs=epochs, patience=patience, batch_size=8)
    loss = DesignLoss(network, TASK, Balance(), half, recipe=recipe)
    order = RowOrder(rows, 8, torch.Generator().manual_seed(0))
    return Phase("fusion", loss, samples(rows, 0), samples(9, 1), settings=settings, recipe=recipe, order=order, on_epoch=None)
