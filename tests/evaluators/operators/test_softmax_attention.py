"""Attention written by hand, against torch's own."""

from __future__ import annotations

import torch

from fusearch.evaluators.operators.softmax_attention import Attention, TransformerLayer, masked_softmax


def test_masked_softmax_is_zero_where_nothing_is_allowed() -> None:
    scores = torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    weights = masked_softmax(scores, torch.tensor([[True, False, True], [False, False, False]]))
    torch.testing.assert_close(weights[0, [0, 2]], torch.softmax(torch.tensor([1.0, 3.0]), dim=0))
    assert weights[1].tolist() == [0.0, 0.0, 0.0]


def test_attention_agrees_with_torch() -> None:
    torch.manual_seed(0)
    attention = Attention(5, 6, width=7, heads=2).double()  # 7 is rounded up to 8
    query, key = torch.randn(3, 4, 5).double(), torch.randn(3, 6, 6).double()
    allowed = torch.tensor([[True] * 6, [True, False] * 3, [False] * 5 + [True]])
    heads = [linear(x).unflatten(2, (2, 4)).transpose(1, 2) for linear, x in ((attention.query, query), (attention.key, key))]
    value = attention.value(key).unflatten(2, (2, 4)).transpose(1, 2)
    read = torch.nn.functional.scaled_dot_product_attention(*heads, value, attn_mask=allowed[:, None, None, :])
    expected = attention.output(read.transpose(1, 2).flatten(2))
    torch.testing.assert_close(attention(query, key, allowed), expected, rtol=1e-10, atol=1e-10)


def test_a_transformer_layer_agrees_with_torch() -> None:
    torch.manual_seed(0)
    ours = TransformerLayer(8, heads=2).double()
    theirs = torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, activation="gelu", batch_first=True, norm_first=True).double()
    weights = [ours.attention.query, ours.attention.key, ours.attention.value]
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([linear.weight for linear in weights]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([weights[0].bias, torch.zeros(8), weights[2].bias]))
        theirs.self_attn.out_proj.load_state_dict(ours.attention.output.state_dict())
        theirs.linear1.load_state_dict(ours.feedforward[0].state_dict())
        theirs.linear2.load_state_dict(ours.feedforward[2].state_dict())
    x = torch.randn(3, 4, 8).double()
    allowed = torch.tensor([[True] * 4, [True, False, True, True], [False, True, True, False]])
    torch.testing.assert_close(ours(x, allowed), theirs(x, src_key_padding_mask=~allowed), rtol=1e-10, atol=1e-10)
