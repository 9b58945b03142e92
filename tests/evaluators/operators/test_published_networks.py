"""The 54 networks of the review compile and train with these operators."""

from __future__ import annotations

import pytest
import torch
from installed import need_streams
from toy_tasks import class_task

from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.operator_layer import Losses
from fusearch.search_space import FusionGraph, Recipe
from fusearch.search_space.published import PUBLISHED, published_design


@pytest.mark.parametrize("number", list(PUBLISHED))
def test_a_published_network_trains(number: int) -> None:
    design = published_design(number)
    need_streams(design)
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
    adds_loss = {"manifold", "shared_private", "multimodal_dynamics"} & {fusion.operator for fusion in design.fusions}
    assert bool(losses.terms) == bool(adds_loss)


#: A trunk of this family on one token is a fully connected one.
ALONG_TOKENS = ("conv", "rnn", "attention")


@pytest.mark.parametrize("number", list(PUBLISHED))
def test_recurrent_and_convolutional_trunks_see_more_than_one_token(number: int) -> None:
    record = published_design(number).to_dict()
    for modality in record["modalities"]:
        if modality["kind"] == "image2d":
            modality["shape"] = [1, 64, 64]  # five stages of the stand-in would leave one position
    design = FusionGraph.from_dict(record)
    need_streams(design)
    network = FusionNetwork(design, 3, Recipe())
    own = [fusion.name for fusion in design.fusions if fusion.trunk.family in ALONG_TOKENS and fusion.trunk.num_stages]
    seen = {name: [shapes[0].tokens for shapes in network.join(name).shapes.values()] for name in own}
    assert all(tokens > 1 for each in seen.values() for tokens in each), seen


def test_aligned_joins_feed_their_trunks_series() -> None:
    """Of 1, 12, 17 and 27: flattened to one token, a recurrent trunk was a fully connected one."""
    fed = {}
    for number, name in ((1, "F1"), (12, "F1"), (17, "F1"), (17, "F2"), (27, "F5")):
        design = published_design(number)
        need_streams(design)
        fed[number, name] = FusionNetwork(design, 3, Recipe()).join(name).shapes[0][0].tokens
        assert design.fusion(name).params["align"]
    assert fed == {(1, "F1"): 256, (12, "F1"): 32, (17, "F1"): 13, (17, "F2"): 13, (27, "F5"): 32}


def test_a_place_of_the_volume_of_41_reaches_the_image_at_that_place() -> None:
    design = published_design(41)
    network = FusionNetwork(design, 3, Recipe()).eval()
    layer = network.join("F1").layer
    oct_, there = torch.zeros(1, 512, 32), [torch.tensor([True])] * 2
    moved = oct_.clone()
    moved[0, 8 * 8 * 3 + 8 * 2 + 5] = 1.0  # slice 3, row 2, column 5 of 8 x 8 x 8
    fundus = torch.zeros(1, 256, 32)
    change = (layer([fundus, moved], there) - layer([fundus, oct_], there)).abs().sum(dim=2)[0].reshape(16, 16)
    rows, columns = change.nonzero(as_tuple=True)
    assert 3 <= int(rows.min()) <= 4
    assert 5 <= int(rows.max()) <= 6
    assert 9 <= int(columns.min()) <= 10
    assert 11 <= int(columns.max()) <= 12
    assert layer.out.grid == (16, 16)


def test_the_activity_network_of_17_learns_from_labels() -> None:
    design = published_design(17)
    assert [str(output.source) for output in design.outputs if output != design.main_output] == [
        "har@2"
    ]  # a head on the embedding gives class scores
    assert PUBLISHED[17].recipe().loss_weight == 1.0
