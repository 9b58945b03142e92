"""Which parameters of a design no gradient reaches. Axis letters: B batch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.operator_layer import Losses
from fusearch.evaluators.tasks import TaskLayer
from fusearch.search_space import Candidate

__all__ = ["never_trained"]

#: Samples that are looked at, of which a third lacks each modality.
_ROWS = 12

#: Random weights that are tried: one maximum of several may lie with the others by chance.
_DRAWS = 5


def never_trained(candidate: Candidate, task: TaskLayer, targets: NDArray[np.generic]) -> tuple[tuple[str, ...], int]:
    """Return the names of the parameters whose gradient is zero whatever the data, and how many parameters (weights, biases) have a name.

    Such are those of query and key where there is one key.

    The gradient of all outputs and added losses is taken at several random weights and random values, in double precision.

    Args:
        candidate: The design, with the width of its recipe.
        task: What is predicted, fitted.
        targets: Targets of some samples, as a data set holds them.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = FusionNetwork.of(candidate, task).double().eval()
        named = dead = dict(network.named_parameters())
        for _ in range(_DRAWS):
            _take_gradient(network, candidate, task, np.resize(targets, (_ROWS, *targets.shape[1:])))
            dead = {name: parameter for name, parameter in dead.items() if parameter.grad is None or not bool(parameter.grad.any())}
            if not dead:
                break
    return tuple(dead), len(named)


def _take_gradient(network: FusionNetwork, candidate: Candidate, task: TaskLayer, targets: NDArray[np.generic]) -> None:
    network.zero_grad()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    inputs = {modality.name: _values(modality) for modality in candidate.graph.modalities}
    present = {name: torch.rand(_ROWS) < 2 / 3 for name in inputs}
    losses = Losses(task.encode(targets), task)
    result = network.run(inputs, present, losses)
    total = losses.total().double()
    for logits_BK in (result.main, *result.auxiliary):
        total = total + (torch.randn_like(logits_BK) * logits_BK).sum()
    torch.autograd.backward(total)


def _values(modality: Modality) -> Tensor:
    """Return (B, *shape) values: random codes of symbols, else of a normal distribution."""
    shape = (_ROWS, *modality.shape)
    return torch.randint(0, 20, shape).double() if modality.entry.symbolic else torch.randn(shape, dtype=torch.float64)
