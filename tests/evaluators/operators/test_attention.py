"""Attention over tokens against its equations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.evaluators.operators.attention import CrossAttention
from fusearch.testing import OperatorSuite, affine

UNEQUAL = [TokenShape(3, 4), TokenShape(2, 5), TokenShape(4, 8)]


def attend(attention: Any, query: Tensor, keys: list[Tensor]) -> Tensor:
    """Head by head: softmax of the scores of one query, then the mean of the values."""
    q, parts = affine(attention.query, query), []
    size = len(q) // attention.heads
    for head in range(attention.heads):
        here = slice(head * size, (head + 1) * size)
        exponentials = [math.exp(float(q[here] @ affine(attention.key, key)[here]) / math.sqrt(size)) for key in keys]
        read = torch.zeros(size, dtype=query.dtype)
        for exponential, key in zip(exponentials, keys, strict=True):
            read = read + exponential / sum(exponentials) * affine(attention.value, key)[here]
        parts.append(read)
    return affine(attention.output, torch.cat(parts))


def transformer(layer: Any, tokens: list[Tensor], allowed: list[bool]) -> list[Tensor]:
    """One layer, token by token."""

    def norm(module: Any, token: Tensor) -> Tensor:
        centred = token - token.mean()
        return module.weight * centred / torch.sqrt(centred.square().mean() + module.eps) + module.bias

    def forward(token: Tensor) -> Tensor:
        hidden = affine(layer.feedforward[0], norm(layer.norm_feedforward, token))
        return affine(layer.feedforward[2], hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2))))

    normed = [norm(layer.norm_attention, token) for token in tokens]
    keys = [token for token, ok in zip(normed, allowed, strict=True) if ok]
    tokens = [attend(layer.attention, query, keys) + (token if layer.residual else 0) for query, token in zip(normed, tokens, strict=True)]
    return [forward(token) + (token if layer.residual else 0) for token in tokens]


class TestCrossAttention(OperatorSuite):
    name = "cross_attention"

    def twin_shapes(self) -> list[list[TokenShape]]:
        return [UNEQUAL]

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        keys = [affine(layer.align[m].project, token) for m, x in enumerate(xs[1:]) if here[m + 1] for token in x]
        return torch.stack([attend(layer.attention, token, keys) + (token if params["residual"] else 0) for token in xs[0]])


class TestCoAttention(OperatorSuite):
    name = "co_attention"

    def twin_shapes(self) -> list[list[TokenShape]]:
        return [UNEQUAL]

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> list[Tensor]:
        results = []
        for m, x in enumerate(xs):
            keys = [
                affine(layer.align[other].project, token) for other in range(len(xs)) if other != m and here[other] for token in xs[other]
            ]
            results.append(torch.stack([token + attend(layer.attention[m], token, keys) for token in x]))
        return results


class TestSelfAttention(OperatorSuite):
    name = "self_attention"

    def twin_shapes(self) -> list[list[TokenShape]]:
        return [UNEQUAL]

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        tokens = [affine(layer.align[m].project, token) for m, x in enumerate(xs) for token in x]
        owner = [m for m, x in enumerate(xs) for _ in x]
        allowed = [here[m] for m in owner]
        for each in layer.layers:
            tokens = transformer(each, tokens, allowed)
        tokens = [token if ok else torch.zeros_like(token) for token, ok in zip(tokens, allowed, strict=True)]
        if params["pool"] == "none":
            return torch.stack(tokens)
        if params["pool"] == "mean":
            return torch.stack(tokens).sum(dim=0, keepdim=True) / max(1, sum(allowed))
        means = [
            torch.stack([token for token, m in zip(tokens, owner, strict=True) if m == stream]).mean(dim=0) for stream in range(len(xs))
        ]
        return torch.cat(means)[None]

    def test_its_width_may_differ_from_the_networks(self) -> None:
        assert self.build(self.shapes(), {"dim": 12, "heads": 4}).out == TokenShape(1, 12)


class TestBottleneck(OperatorSuite):
    name = "bottleneck"

    def twin_shapes(self) -> list[list[TokenShape]]:
        return [UNEQUAL]

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        streams = [[affine(layer.align[m].project, token) for token in x] for m, x in enumerate(xs)]
        shared = list(layer.bottleneck_TD)
        for depth in range(params["layers"]):
            updates = []
            for m, stream in enumerate(streams):
                tokens = transformer(layer.layers[m][depth], [*stream, *shared], [True] * (len(stream) + len(shared)))
                streams[m] = tokens[: len(stream)]
                if here[m]:
                    updates.append(torch.stack(tokens[len(stream) :]))
            shared = list(torch.stack(updates).mean(dim=0)) if updates else shared
        return torch.stack(shared)


class TestMBT(OperatorSuite):
    name = "mbt"

    def twin_shapes(self) -> list[list[TokenShape]]:
        return [UNEQUAL]

    def permute_state(self, layer: Any, order: Sequence[int], shapes: Sequence[TokenShape]) -> dict[str, Tensor]:
        # There are as many layers as arguments: only the lists of the arguments move, not the layers in them.
        state = dict(layer.state_dict())
        lists = ("align", "class_D", "positions_TD", "layers")
        for new, old in enumerate(order):
            for name in lists:
                moved = {key: value for key, value in layer.state_dict().items() if key.split(".")[:2] == [name, str(old)]}
                state |= {key.replace(f"{name}.{old}", f"{name}.{new}", 1): value for key, value in moved.items()}
        return state

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        """Nagrani et al.: eq. 8 (each modality with the bottleneck), eq. 9 (its mean), and the class tokens at the end."""
        streams = []
        for m, x in enumerate(xs):
            tokens = [layer.class_D[m], *[affine(layer.align[m].project, token) for token in x]]
            streams.append([token + position for token, position in zip(tokens, layer.positions_TD[m], strict=True)])
        bottleneck = list(layer.bottleneck_TD)
        for depth in range(params["layers"]):
            fused = []
            for m, stream in enumerate(streams):
                tokens = transformer(layer.layers[m][depth], [*stream, *bottleneck], [True] * (len(stream) + len(bottleneck)))
                streams[m] = tokens[: len(stream)]
                if here[m]:
                    fused.append(tokens[len(stream) :])
            if fused:
                bottleneck = [sum(tokens) / len(fused) for tokens in zip(*fused, strict=True)]
        read = [stream[0] for m, stream in enumerate(streams) if here[m]]
        normed = []
        for token in read:
            centred = token - token.mean()
            normed.append(layer.norm.weight * centred / torch.sqrt(centred.square().mean() + layer.norm.eps) + layer.norm.bias)
        return sum(normed)[None] / len(normed) if normed else torch.zeros(1, layer.out.width).double()

    def test_a_modality_reaches_the_class_token_of_another_through_the_bottleneck_alone(self) -> None:
        layer: Any = self.build(UNEQUAL)
        xs, _ = self.inputs(UNEQUAL, batch=1)
        moved = [xs[0], xs[1] + 1, xs[2]]
        present = [torch.tensor([True])] * 3
        before, after = (exchanged_class_token(layer, each, present) for each in (xs, moved))
        assert not torch.allclose(before, after)


def exchanged_class_token(layer: Any, xs: list[Tensor], present: list[Tensor]) -> Tensor:
    """Return the class token of the first modality, before the mean over modalities."""
    seen: list[Tensor] = []
    handle = layer.norm.register_forward_hook(lambda _module, args, _result: seen.append(args[0]))
    layer(xs, present)
    handle.remove()
    return seen[0]


def test_a_planted_bug_is_found(planted: Any) -> None:
    class SoftmaxOverQueries(CrossAttention):
        def forward(self, xs: Any, present: Any, losses: Any = None) -> Tensor:
            result = super().forward(xs, present, losses)
            return result.flip(1)

    planted(TestCrossAttention, SoftmaxOverQueries)
