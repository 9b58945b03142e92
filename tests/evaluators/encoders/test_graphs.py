"""Encoders of graphs; that a node which is not there moves nothing is a law of every encoder that masks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fusearch.data.files.linked_nodes import link_nodes
from fusearch.data.modality import Modality
from fusearch.errors import DesignError
from fusearch.evaluators.encoders.graphs import GAT, GCN
from fusearch.evaluators.network.encoder_network import make_encoder
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.search_space import ENCODERS, FusionGraph, Recipe

pytest.importorskip("torch_geometric", reason="needs fusearch[graph]")

EDGES = [(0, 1, 1.0), (1, 2, 0.5), (3, 4, 2.0), (2, 2, 3.0)]
MODALITY = Modality("g", "graph", (5, 8))


def graphs(*, edges: list[tuple[int, int, float]] = EDGES, directed: bool = False) -> Tensor:
    features = torch.randn(3, 5, 3, generator=torch.Generator().manual_seed(0))
    return torch.as_tensor(link_nodes(features.numpy(), edges, directed=directed)).double()


def last(network: torch.nn.Module, raw: Tensor) -> Tensor:
    return network.states(raw, len(network.shapes) - 1)[-1]


@pytest.mark.parametrize("make", [GCN, GAT])
def test_the_order_of_nodes_means_nothing(make: type[GCN | GAT]) -> None:
    network, raw, order = make(MODALITY, 8, 0.0).double().eval(), graphs(), torch.tensor([2, 0, 4, 1, 3])
    turned = torch.cat([raw[:, order, :3], raw[:, order][:, :, 3 + order]], dim=2)
    torch.testing.assert_close(last(network, turned), last(network, raw)[:, order], atol=1e-12, rtol=0)
    pooled = [network.pool(last(network, each), network.mask(each, 2)) for each in (raw, turned)]
    torch.testing.assert_close(pooled[1], pooled[0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("make", [GCN, GAT])
def test_a_node_hears_along_edges_and_no_further_than_the_stages(make: type[GCN | GAT]) -> None:
    network, raw = make(MODALITY, 8, 0.0, stages=2).double().eval(), graphs(edges=[(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0)], directed=True)
    changed = raw.clone()
    changed[:, 0, :3] += 1
    moved = [
        (one != other).any(dim=2).any(dim=0).tolist() for one, other in zip(network.states(raw, 2), network.states(changed, 2), strict=True)
    ]
    assert moved[1] == [True, True, False, False, False], "an edge leads from 0 to 1"
    assert moved[2] == [True, True, True, False, False]


def test_a_graph_convolution_is_its_equation() -> None:
    network, raw = GCN(MODALITY, 8, 0.0, stages=1).double().eval(), graphs()
    features, links = raw[0, :, :3], raw[0, :, 3:]
    degrees = links.sum(dim=1).clamp(min=1).rsqrt()
    layer = network.stages[0].layer
    convolved = torch.diag(degrees) @ links @ torch.diag(degrees) @ features @ layer.lin.weight.T + layer.bias
    torch.testing.assert_close(last(network, raw)[0], network.stages[0].rest(convolved))


def test_an_attention_knows_whether_there_is_an_edge_and_a_convolution_its_weight() -> None:
    heavy = graphs(edges=[(*pair, 2 * weight) for *pair, weight in EDGES])
    for make, same in ((GAT, True), (GCN, False)):
        network = make(MODALITY, 8, 0.0).double().eval()
        assert torch.equal(last(network, heavy), last(network, graphs())) == same


@pytest.mark.parametrize("make", [GCN, GAT])
def test_a_sample_without_a_graph_gives_zeros(make: type[GCN | GAT]) -> None:
    network, raw = make(MODALITY, 8, 0.0).double().train(), graphs()
    raw[1] = 0
    found = last(network, raw)
    assert not found[1].any()
    found.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


def test_a_trunk_that_continues_a_graph_reads_its_edges() -> None:
    text = "g = g:gcn(stages=2) | t = g:deepset(stages=1)\nF1 = sum(g@1, t@1; trunk=continue(g)); F2 = cat(F1@1, t@1; trunk=fc:0) ->"
    network = FusionNetwork(FusionGraph.parse(text, [MODALITY]), 2, Recipe(width=8)).double().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(parameter.numel()))
    raw, present = graphs(), {"g": torch.ones(3, dtype=torch.bool)}
    other = graphs(edges=[])
    states = network.streams({"g": raw}, present)
    ours = network.fuse(states, present).main
    torch.testing.assert_close(network({"g": raw}, present), ours)
    swapped = network.fuse({**states, ("g", 0): other}, present).main  # other edges for the trunk alone
    assert not torch.allclose(swapped, ours)
    with pytest.raises(DesignError, match="a stage over a graph needs the edges of its samples"):
        network.streams.encoder_of("g").stage(1, states["g", 1])


def test_heads_share_the_width() -> None:
    assert [GAT(MODALITY, 6, 0.0, heads=heads).heads for heads in (4, 2, 16)] == [3, 2, 6]


def test_a_network_that_lacks_its_package_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusearch.search_space.entries.encoder.find_spec", lambda _: None)
    with pytest.raises(DesignError, match=r"encoder 'gcn' needs torch_geometric, which is not installed: pip install 'fusearch\[graph\]'"):
        make_encoder("gcn", MODALITY, 8, 0.0, ENCODERS["gcn"].complete({}, "gcn"))
