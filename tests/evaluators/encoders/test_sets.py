"""Encoders of unordered nodes."""

from __future__ import annotations

import torch

from fusearch.data.modality import Modality
from fusearch.evaluators.encoders.sets import DeepSet


def test_a_set_does_not_depend_on_the_order_of_its_nodes() -> None:
    network = DeepSet(Modality("g", "graph", (5, 8)), 8, 0.0).eval()
    nodes, order = torch.randn(2, 5, 8), torch.tensor([2, 0, 4, 1, 3])
    torch.testing.assert_close(network.stage(1, nodes[:, order]), network.stage(1, nodes)[:, order])


def test_a_node_sees_the_mean_of_the_others_and_no_edge() -> None:
    network = DeepSet(Modality("g", "graph", (5, 8)), 8, 0.0).eval()
    nodes = torch.randn(1, 5, 8)
    moved, linked = nodes.clone(), nodes.clone()
    moved[:, 4, :3] += 1
    linked[:, :, 3:] += 1
    assert not torch.allclose(network.stage(1, nodes)[:, 0], network.stage(1, moved)[:, 0])
    assert torch.equal(network.stage(1, nodes), network.stage(1, linked))
