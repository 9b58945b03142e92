"""Table encoders."""

from __future__ import annotations

import torch

from fusearch.data.modality import Modality
from fusearch.evaluators.encoders.tables import MLP, MOST_TOKENS, FeatureTokenizer, FTTransformer
from fusearch.evaluators.network.encoder_network import NETWORKS


def test_the_tokenizer_is_its_equation() -> None:
    layer = FeatureTokenizer(3, 4)
    x = torch.randn(2, 1, 3)
    expected = torch.stack([x[:, 0, j, None] * layer.weight[j] + layer.bias[j] for j in range(3)], dim=1)
    torch.testing.assert_close(layer(x), expected)


def test_of_a_wide_table_neighbouring_columns_share_a_token() -> None:
    layer = FeatureTokenizer(130, 4)  # three columns a token, one in the last
    x = torch.randn(2, 1, 130)
    apart = x.transpose(1, 2) * layer.weight + layer.bias
    expected = torch.stack([part.sum(dim=1) for part in torch.split(apart, 3, dim=1)], dim=1)
    torch.testing.assert_close(layer(x), expected)
    assert [columns for columns in (64, 65, 130, 2000) if FeatureTokenizer(columns, 2).tokens > MOST_TOKENS] == []
    network = FTTransformer(Modality("t", "tabular", (130,)), 8, 0.0, blocks=1)
    assert [(shape.tokens, shape.width) for shape in network.shapes] == [(1, 130), (44, 8), (44, 8)]
    torch.testing.assert_close(torch.export.export(layer, (x,)).module()(x), layer(x))


def test_the_ft_transformer_has_a_token_for_each_column() -> None:
    network = FTTransformer(Modality("t", "tabular", (7,)), 8, 0.0, blocks=1)
    assert [(shape.tokens, shape.width) for shape in network.shapes] == [(1, 7), (7, 8), (7, 8)]


def test_dropout_acts_in_training_alone() -> None:
    network = MLP(Modality("t", "tabular", (7,)), 64, 0.5)
    x = network.tokens(torch.randn(3, 7))
    assert not torch.equal(network.stage(1, x), network.stage(1, x))
    network.eval()
    torch.testing.assert_close(network.stage(1, x), network.stage(1, x))


def test_the_paper_s_networks_have_the_printed_widths() -> None:
    network = NETWORKS["mlp3"](Modality("t", "tabular", (7,)), 32, 0.0)
    assert [shape.width for shape in network.shapes] == [7, 64, 128, 256, 256, 128, 64, 32]
