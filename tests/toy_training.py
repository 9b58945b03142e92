"""One training of a small network, for tests of what a training does."""

from __future__ import annotations

from device_of_tests import DEVICE
from torch import Tensor
from toy_data import TABLES

from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.training.members import FoldSamples
from fusearch.evaluators.training.modes import train
from fusearch.evaluators.training.optimization import Fit, reproducible
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import FusionGraph, Recipe

SETTINGS = TrainingSettings(epochs=4, patience=4, batch_size=16)
RECIPE = Recipe(width=8, learning_rate=1e-2)


def parse(text: str) -> FusionGraph:
    return FusionGraph.parse(text, modalities=TABLES)


def fit(
    text: str, rows: FoldSamples, *, settings: TrainingSettings = SETTINGS, seed: int = 0, recipe: Recipe = RECIPE
) -> tuple[FusionNetwork, dict[str, Fit], dict[str, Tensor]]:
    """Train; return the network, its phases and its weights before training."""
    with reproducible(seed, threads=1) as generator:
        network = FusionNetwork(parse(text), 2, recipe).to(DEVICE)
        before = {name: value.clone() for name, value in network.state_dict().items()}
        fits = train(network, rows.train, rows.validation, recipe=recipe, task=rows.task, settings=settings, generator=generator)
    return network, fits, before
