"""Blocks of encoders and trunks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fusearch.evaluators.network.blocks import (
    ConvBlock,
    DenseBlock,
    Dropout,
    LSTMBlock,
    RecurrentBlock,
    TransformerBlock,
    group_norm,
    largest_heads,
)
from fusearch.evaluators.network.operator_layer import TokenShape


def test_attention_is_that_of_torch() -> None:
    block, tokens = TransformerBlock(8, 0.0, heads=2).eval(), torch.randn(3, 5, 8)
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    attention.in_proj_weight, attention.in_proj_bias = block.qkv.weight, block.qkv.bias
    attention.out_proj.weight, attention.out_proj.bias = block.merge.weight, block.merge.bias
    normed = block.norm_attention(tokens)
    mixed = tokens + attention(normed, normed, normed, need_weights=False)[0]
    torch.testing.assert_close(block(tokens), mixed + block.feed(block.norm_feed(mixed)))


@pytest.mark.parametrize(("width", "heads", "expected"), [(8, 4, 4), (6, 4, 3), (7, 4, 1), (2, 4, 2), (1, 4, 1)])
def test_heads_always_divide_the_width(width: int, heads: int, expected: int) -> None:
    assert largest_heads(width, heads) == expected


@pytest.mark.parametrize("width", [1, 6, 8, 20, 32, 64])
def test_group_norm_keeps_a_grid_of_one_position_alive(width: int) -> None:
    norm = group_norm(width)
    assert width % norm.num_groups == 0
    if width > 1:
        assert norm(torch.randn(2, width, 1)).abs().sum() > 0


def test_a_convolution_takes_tokens_without_a_grid_as_a_sequence() -> None:
    block = ConvBlock(TokenShape(5, 3), 4, 0.0)
    assert block(torch.randn(2, 5, 3)).shape == (2, 5, 4)
    assert block.out == TokenShape(5, 4)


def test_a_convolution_of_one_token_has_no_weights_that_only_meet_padding() -> None:
    assert ConvBlock(TokenShape(1, 3), 4, 0.0).layers[0].weight.shape == (4, 3, 1)


def test_pooling_halves_the_grid_rounding_up() -> None:
    block = ConvBlock(TokenShape(15, 2, (3, 5)), 4, 0.0, pooled=True)
    assert block.out == TokenShape(6, 4, (2, 3))
    assert block(torch.randn(2, 15, 2)).shape == (2, 6, 4)


def test_dense_works_on_each_token_alone() -> None:
    block, tokens = DenseBlock(3, 4, 0.0), torch.randn(2, 5, 3)
    torch.testing.assert_close(block(tokens)[:, 2], block(tokens[:, 2]))


def test_a_bidirectional_recurrent_block_is_twice_as_wide() -> None:
    assert RecurrentBlock(3, 4, 0.0, bidirectional=True)(torch.randn(2, 5, 3)).shape == (2, 5, 8)


def test_the_share_that_is_dropped_is_that_of_the_member() -> None:
    layer = Dropout(0.5)
    layer.probability = torch.tensor(0.0)
    ones = torch.ones(3, 20000)
    found = torch.func.vmap(lambda p, x: torch.func.functional_call(layer, {"probability": p}, (x,)), randomness="different")(
        torch.tensor([0.0, 0.2, 0.9]), ones
    )
    assert [float((row == 0).double().mean()) for row in found] == pytest.approx([0.0, 0.2, 0.9], abs=0.02)
    assert found.mean(dim=1).tolist() == pytest.approx([1.0, 1.0, 1.0], abs=0.05)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_gru_that_is_written_out_is_torchs_own(bidirectional: bool) -> None:
    block = RecurrentBlock(3, 5, 0.0, bidirectional=bidirectional).double()
    x_BTD = torch.randn(4, 6, 3, dtype=torch.float64)
    expected = block(x_BTD)
    block.written_out = True
    torch.testing.assert_close(block(x_BTD), expected, rtol=0, atol=1e-12)


def test_an_lstm_that_is_written_out_is_torchs_own() -> None:
    block = LSTMBlock(3, 5, 0.0).double()
    x_BTD = torch.randn(4, 6, 3, dtype=torch.float64)
    expected = block(x_BTD)
    block.written_out = True
    torch.testing.assert_close(block(x_BTD), expected, rtol=0, atol=1e-12)
