"""One fusion: operator, order of arguments, trunk."""

from __future__ import annotations

import pytest
import torch

from fusearch.data.modality import Modality
from fusearch.errors import DesignError
from fusearch.evaluators.encoders.images import CNN
from fusearch.evaluators.encoders.tables import MLP
from fusearch.evaluators.network.join import Continuation, Join, concatenate_ports, concatenated_shape, make_stage
from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.search_space import FusionGraph, Recipe

RECIPE = Recipe(width=8, dropout=0.0)
VECTOR, SERIES, IMAGE = TokenShape(1, 5), TokenShape(6, 3, (6,)), TokenShape(12, 4, (3, 4))


def fusion_of(text: str) -> object:
    modalities = [Modality(name, "tabular", (5,)) for name in "ab"]
    return FusionGraph.parse(text, modalities=modalities).fusions[0]


@pytest.mark.parametrize("family", ["fc", "conv", "rnn", "attention"])
@pytest.mark.parametrize("shape", [VECTOR, SERIES, IMAGE, TokenShape(4, 8)])
def test_a_stage_of_any_family_takes_any_shape(family: str, shape: TokenShape) -> None:
    stage, out = make_stage(family, shape, 8, 0.0)
    assert stage(torch.randn(2, shape.tokens, shape.width)).shape == (2, out.tokens, out.width)
    assert out == TokenShape(shape.tokens, 8, shape.grid)


def test_only_fc_leaves_tokens_apart() -> None:
    tokens = torch.randn(1, 6, 3)
    moved = tokens.clone()
    moved[:, 0] += 1
    mixes = {}
    for family in ("fc", "conv", "rnn", "attention"):
        stage, _ = make_stage(family, SERIES, 8, 0.0)
        mixes[family] = not torch.allclose(stage(tokens)[:, 1:], stage(moved)[:, 1:])
    assert mixes == {"fc": False, "conv": True, "rnn": True, "attention": True}


def test_results_side_by_side_stand_on_the_tokens_of_the_longest() -> None:
    states = [torch.randn(2, 1, 5), torch.randn(2, 6, 3)]
    joined = concatenate_ports(states, [VECTOR, SERIES])
    assert concatenated_shape([VECTOR, SERIES]) == TokenShape(6, 8, (6,))
    torch.testing.assert_close(joined[:, 4], torch.cat([states[0][:, 0], states[1][:, 4]], dim=1))


def test_a_symmetric_operator_does_not_care_which_argument_is_named_first() -> None:
    shapes = [VECTOR, SERIES]
    fusion = fusion_of("F1 = sum(a@1, b@1) ->")
    joins = [Join(fusion, ordered, {0: 0}, None, RECIPE) for ordered in (shapes, shapes[::-1])]
    assert joins[0].shapes == joins[1].shapes


def test_each_result_that_is_read_has_its_own_trunk() -> None:
    graph = FusionGraph.parse(
        "F1 = co_attention(a@1, b@1; trunk=fc:2)\nF2 = cat(F1.a@2, F1.b@1) ->", modalities=[Modality(n, "tabular", (5,)) for n in "ab"]
    )
    join = Join(graph.fusions[0], [VECTOR, VECTOR], {0: 2, 1: 1}, None, RECIPE)
    assert [len(stages) for stages in join.trunks.values()] == [2, 1]
    present = torch.ones(3, dtype=torch.bool)
    states = join([torch.randn(3, 1, 5)] * 2, [present] * 2)
    assert set(states) == {(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)}


def test_a_continuation_must_meet_the_shape_that_the_stream_left() -> None:
    graph = FusionGraph.parse(
        "a:mlp | b:mlp\nF1 = film(a@1, b@2; trunk=continue(a)) ->", modalities=[Modality(n, "tabular", (5,)) for n in "ab"]
    )
    encoder = MLP(Modality("a", "tabular", (5,)), 8, 0.0)
    join = Join(graph.fusions[0], [encoder.shapes[1], VECTOR], {0: 1}, Continuation(encoder, 0, 1), RECIPE)
    assert join.shapes[0] == encoder.shapes[1:]
    with pytest.raises(DesignError, match=r"F1: film gives 12 x 4 values a sample, but continue\(a\) needs the 1 x 8 of a@1"):
        Join(graph.fusions[0], [IMAGE, VECTOR], {0: 1}, Continuation(encoder, 0, 1), RECIPE)


def test_the_continued_encoder_is_not_a_submodule_twice() -> None:
    encoder = CNN(Modality("us", "image2d", (1, 6, 6)), 8, 0.0)
    graph = FusionGraph.parse(
        "us:cnn | a:mlp\nF1 = film(us@1, a@1; trunk=continue(us)) ->",
        modalities=[Modality("us", "image2d", (1, 6, 6)), Modality("a", "tabular", (5,))],
    )
    join = Join(graph.fusions[0], [encoder.shapes[1], VECTOR], {0: 2}, Continuation(encoder, 0, 1), RECIPE)
    own = {id(parameter) for parameter in join.parameters()}
    assert own.isdisjoint(id(parameter) for parameter in encoder.parameters())
