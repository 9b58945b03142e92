from __future__ import annotations

import math

import pytest
import torch
from mask_data import mask_data

from fusearch.errors import DesignError
from fusearch.evaluators.cost import count_costs
from fusearch.evaluators.network.dense_head import DenseHead, skip_depths
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.evaluators.tasks import bind_task
from fusearch.search_space import Candidate, FusionGraph, Recipe

DESIGNS = {
    "early": "F1 = cat_channels(t1@0, t2@0) ->",
    "stages": "t1:cnn | t2:unet(levels=2)\nF1 = cat_channels(t1@3, t2@2) ->",
    "vectors": "t1:cnn | t2:cnn | clinical:mlp\nF1 = sum(t1@L, t2@L, clinical@L) ->",
    "film": "t1:cnn | clinical:mlp\nF1 = film(t1@2, clinical@L) ->",
    "late": "t1:cnn | t2:vit\nF1 = vote_mean(t1@score, t2@score) ->\ntrain = independent",
    "one image": "t1:resnet\nt1@L ->",
    "a table alone": "clinical:mlp\nclinical@L ->",
    "auxiliary": "t1:cnn | t2:cnn\nF1 = cat_channels(t1@3, t2@3) ->\nt1@score -> aux",
}


def network_of(text: str, side: int = 16, axes: int = 2) -> tuple[FusionNetwork, dict[str, torch.Tensor]]:
    data = mask_data(20, side, axes=axes)
    graph = FusionGraph.parse(text, modalities=data.modalities)
    torch.manual_seed(0)
    network = FusionNetwork.of(Candidate(graph, Recipe(width=8)), bind_task(data.task))
    return network.eval(), {each.name: torch.randn(3, *each.shape) for each in graph.modalities}


@pytest.mark.parametrize("text", DESIGNS.values(), ids=DESIGNS)
def test_every_level_of_fusion_ends_on_the_grid(text: str) -> None:
    network, inputs = network_of(text)
    present = {name: torch.ones(3, dtype=torch.bool) for name in inputs}
    found = network.run(inputs, present)
    assert found.main.shape == (3, 2 * 16 * 16)
    (found.main.square().sum() + sum(each.square().sum() for each in found.auxiliary)).backward()
    idle = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert idle == []


@pytest.mark.parametrize(("side", "axes"), [(9, 2), (8, 3)])
def test_odd_sides_and_volumes(side: int, axes: int) -> None:
    network, inputs = network_of(DESIGNS["stages"].replace("cnn", "cnn" if axes == 2 else "cnn3d"), side, axes)
    present = {name: torch.ones(3, dtype=torch.bool) for name in inputs}
    assert network(inputs, present).shape == (3, 2 * side**axes)


def test_a_modality_that_is_absent_does_not_move_the_mask() -> None:
    network, inputs = network_of(DESIGNS["stages"])
    present = {"t1": torch.ones(3, dtype=torch.bool), "t2": torch.zeros(3, dtype=torch.bool)}
    first = network(inputs, present)
    torch.testing.assert_close(network(inputs | {"t2": torch.full_like(inputs["t2"], torch.nan)}, present), first)


def test_a_head_reads_the_deepest_stage_of_each_size() -> None:
    grids = [(16, 16), (16, 16), (8, 8), (4, 4), None]
    shapes = [TokenShape(math.prod(grid or (1,)), 3, grid) for grid in grids]
    assert skip_depths(shapes, (16, 16)) == (1, 2, 3)
    assert skip_depths(shapes, (16, 16), most=1) == (1,)
    assert skip_depths(shapes, (12, 12)) == ()
    head = DenseHead(TokenShape(64, 5, (8, 8)), [shapes[1], shapes[2]], 2 * 256, (16, 16), 4)
    assert [head.sizes, head.start, head.read] == [((4, 4), (8, 8), (16, 16)), 1, {0: [], 1: [], 2: [0]}]


def test_what_joins_scores_of_positions_is_their_mean() -> None:
    with pytest.raises(DesignError, match="F1: cat joins class scores of each position of a grid, expected vote_mean"):
        network_of("t1:cnn | t2:cnn\nF1 = cat(t1@score, t2@score) ->")


def test_its_cost_is_counted_from_shapes() -> None:
    data = mask_data(20)
    graph = FusionGraph.parse(DESIGNS["stages"], modalities=data.modalities)
    task, candidate = bind_task(data.task), Candidate(graph, Recipe(width=8))
    counted = count_costs(candidate, task, task.encode(data.targets[:1].copy()), batch=4)
    network = FusionNetwork.of(candidate, task)
    assert counted["parameters"] == sum(parameter.numel() for parameter in network.parameters())
    assert counted["macs"] > 16 * 16 * 8 * 9 * 8
