"""The 54 networks of the review compile and train with these operators."""

from __future__ import annotations

import pytest
import torch
from toy_tasks import class_task

from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.operator_layer import Losses
from fusearch.search_space import Recipe
from fusearch.search_space.published import PUBLISHED, published_design


@pytest.mark.parametrize("number", list(PUBLISHED))
def test_a_published_network_trains(number: int) -> None:
    design = published_design(number)
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = FusionNetwork(design, 3, Recipe())
    inputs = {modality.name: torch.rand(4, *modality.shape, generator=generator) for modality in design.modalities}
    present = {modality.name: torch.rand(4, generator=generator) < 0.7 for modality in design.modalities}
    losses = Losses(torch.tensor([0, 1, 2, 0]), class_task(3))
    output = network.run(inputs, present, losses)
    assert output.main.shape == (4, 3)
    assert output.main.isfinite().all()
    total = output.main.sum() + losses.total() + sum(auxiliary.sum() for auxiliary in output.auxiliary)
    total.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []
    adds_loss = {"manifold", "shared_private", "confidence_gate"} & {fusion.operator for fusion in design.fusions}
    assert bool(losses.terms) == bool(adds_loss)
