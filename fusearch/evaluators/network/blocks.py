"""The blocks that encoders and trunks are made of. None keeps statistics over a batch (decision 0044).

Axis letters: B batch, T tokens, D width, H heads, s positions of a grid.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.encoder_network import from_grid, to_grid
from fusearch.evaluators.network.operator_layer import TokenShape

__all__ = [
    "ConvBlock",
    "DenseBlock",
    "Dropout",
    "LSTMBlock",
    "RecurrentBlock",
    "TransformerBlock",
    "conv",
    "group_norm",
    "largest_heads",
    "masked_layers",
    "pool",
]

_CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)


def conv(num_axes: int, source: int, target: int, kernel: int, *, dilation: int = 1, stride: int = 1, bias: bool = True) -> nn.Module:
    """Return a convolution over `num_axes` axes that keeps the size of the grid (odd kernels), or divides it by the stride, rounding up."""
    padding = dilation * (kernel // 2)
    return _CONVS[num_axes - 1](source, target, kernel, stride=stride, padding=padding, dilation=dilation, bias=bias)


def pool(num_axes: int, kernel: int = 2) -> nn.Module:
    """Return a max pooling that halves each axis, rounding up, so that an axis of one position stays one; windows of 3 overlap."""
    return _MAX_POOLS[num_axes - 1](kernel, stride=2, padding=(kernel - 1) // 2, ceil_mode=kernel % 2 == 0)


def group_norm(width: int) -> nn.GroupNorm:
    """Return a GroupNorm with groups of about eight channels (Wu & He 2018).

    Groups of a single channel would wipe out a grid of one position, so there are at least two channels in each where the width allows.
    """
    return nn.GroupNorm(math.gcd(width, max(1, width // 8)), width)


def masked_layers(layers: nn.Sequential, x_BDs: Tensor, mask_BT: Tensor) -> Tensor:
    """Apply layers over a grid so that nothing behind the end of a sample, on the first axis of positions, moves the others.

    A GroupNorm takes its statistics over the positions of the mask, and what follows it sees zeros at the others, as behind the last one.
    A pooling halves them.
    """
    there = _along(mask_BT, x_BDs)
    x_BDs = torch.where(there, x_BDs, 0.0)
    for layer in layers:
        if isinstance(layer, _MAX_POOLS):
            there = there[:, :, ::2]
        x_BDs = _masked_group_norm(layer, x_BDs, there) if isinstance(layer, nn.GroupNorm) else layer(x_BDs)
    return x_BDs


def _along(mask_BT: Tensor, x_BDs: Tensor) -> Tensor:
    """Return the mask of steps, (B, 1, T, 1, ...), from that of all positions of a grid whose first axis are the steps."""
    steps = mask_BT.reshape(mask_BT.shape[0], x_BDs.shape[2], -1)[:, :, 0]
    return steps.reshape(mask_BT.shape[0], 1, -1, *[1] * (x_BDs.ndim - 3))


def _masked_group_norm(norm: nn.GroupNorm, x_BDs: Tensor, there: Tensor) -> Tensor:
    x_BGd = x_BDs.reshape(x_BDs.shape[0], norm.num_groups, x_BDs.shape[1] // norm.num_groups, *x_BDs.shape[2:])
    there_BG, axes = there[:, None], tuple(range(2, x_BGd.ndim))
    count = there_BG.sum(dim=3, keepdim=True).clamp(min=1) * (x_BGd.shape[2] * math.prod(x_BGd.shape[4:]))

    def mean(values: Tensor) -> Tensor:
        sums: Tensor = torch.where(there_BG, values, 0.0).sum(dim=axes, keepdim=True)
        return sums / count

    centred = x_BGd - mean(x_BGd)
    scaled = (centred * torch.rsqrt(mean(centred.square()) + norm.eps)).flatten(1, 2)
    shape = (-1, *[1] * (x_BDs.ndim - 2))
    return torch.where(there, scaled * norm.weight.reshape(shape) + norm.bias.reshape(shape), 0.0)


def largest_heads(width: int, heads: int) -> int:
    """Return the largest number of heads, at most `heads`, that divides `width`."""
    return next(count for count in range(min(heads, width), 0, -1) if width % count == 0)


class Dropout(nn.Dropout):
    """Dropout whose probability may be a tensor, so that members of one pack have different ones.

    Attributes:
        probability: Probability in place of `p`; None, outside of a pack.
    """

    probability: Tensor | None

    def __init__(self, p: float) -> None:
        super().__init__(p)
        self.register_buffer("probability", None, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Drop values in training, and scale the others up."""
        if self.probability is None or not self.training:
            return super().forward(x)
        return torch.where(torch.rand_like(x) >= self.probability, x / (1 - self.probability), 0.0)


class DenseBlock(nn.Sequential):
    """Linear, LayerNorm, ReLU, dropout; applied to each token."""

    def __init__(self, source: int, target: int, dropout: float) -> None:
        super().__init__(nn.Linear(source, target), nn.LayerNorm(target), nn.ReLU(), Dropout(dropout))


class ConvBlock(nn.Module):
    """Convolution, GroupNorm, ReLU, optional pooling, dropout; tokens without a grid are taken as a sequence.

    Attributes:
        out: Shape of the result.
    """

    def __init__(self, shape: TokenShape, width: int, dropout: float, *, kernel: int = 3, pooled: bool = False) -> None:
        super().__init__()
        grid = shape.grid or (shape.tokens,)
        self.shape = shape
        # One token has no neighbours: a wider kernel would only hold weights that meet padding.
        layers = [conv(len(grid), shape.width, width, kernel if shape.tokens > 1 else 1), group_norm(width), nn.ReLU()]
        if pooled:
            layers.append(pool(len(grid)))
            grid = tuple(math.ceil(size / 2) for size in grid)
        self.layers = nn.Sequential(*layers, Dropout(dropout))
        self.out = TokenShape(math.prod(grid), width, grid if pooled or shape.grid else None)

    def forward(self, x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:
        """Map (B, T, D) to (B, T', width); a mask leaves out the last steps of the first axis."""
        x_BDs = to_grid(x_BTD, self.shape)
        return from_grid(self.layers(x_BDs) if mask_BT is None else masked_layers(self.layers, x_BDs, mask_BT))


class RecurrentBlock(nn.Module):
    """A GRU layer over the tokens (Cho et al. 2014) with LayerNorm and dropout on its outputs.

    Attributes:
        written_out: Whether to compute the layer step by step, as in a pack: torch's own cannot be batched over members.
    """

    written_out = False

    def __init__(self, source: int, target: int, dropout: float, *, bidirectional: bool = False) -> None:
        super().__init__()
        self.gru = nn.GRU(source, target, batch_first=True, bidirectional=bidirectional)
        self.norm = nn.LayerNorm(target * (2 if bidirectional else 1))
        self.dropout = Dropout(dropout)

    def forward(self, x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:  # noqa: ARG002  # no state hangs on what follows it
        """Map (B, T, D) to (B, T, target), or twice that width where bidirectional; a mask is for one direction."""
        result: Tensor = self.dropout(self.norm(self.states(x_BTD)))
        return result

    def states(self, x_BTD: Tensor) -> Tensor:
        """Return the state after each step, (B, T, width)."""
        states_BTD: Tensor = gru_states(self.gru, x_BTD) if self.written_out else self.gru(x_BTD)[0]
        return states_BTD


class LSTMBlock(RecurrentBlock):
    """An LSTM layer over the tokens (Hochreiter & Schmidhuber 1997; Gers et al. 2000), one direction, in place of the GRU."""

    def __init__(self, source: int, target: int, dropout: float) -> None:
        nn.Module.__init__(self)
        self.lstm = nn.LSTM(source, target, batch_first=True)
        self.norm = nn.LayerNorm(target)
        self.dropout = Dropout(dropout)

    def states(self, x_BTD: Tensor) -> Tensor:
        """Return the state after each step, (B, T, width)."""
        states_BTD: Tensor = lstm_states(self.lstm, x_BTD) if self.written_out else self.lstm(x_BTD)[0]
        return states_BTD


def lstm_states(lstm: nn.LSTM, x_BTD: Tensor) -> Tensor:
    """Return the states of an LSTM of one layer and one direction, (B, T, width), written out."""
    input_weight, state_weight, input_bias, state_bias = (
        getattr(lstm, f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    steps = nn.functional.linear(x_BTD, input_weight, input_bias).unbind(dim=1)
    h_BD = c_BD = torch.zeros_like(steps[0][:, : lstm.hidden_size])
    states = []
    for step in steps:
        gates = step + nn.functional.linear(h_BD, state_weight, state_bias)
        input_BD, forget_BD, new_BD, output_BD = gates.chunk(4, dim=1)
        c_BD = torch.sigmoid(forget_BD) * c_BD + torch.sigmoid(input_BD) * torch.tanh(new_BD)
        h_BD = torch.sigmoid(output_BD) * torch.tanh(c_BD)
        states.append(h_BD)
    return torch.stack(states, dim=1)


def gru_states(gru: nn.GRU, x_BTD: Tensor) -> Tensor:
    """Return the states of a GRU of one layer, (B, T, width) or twice as wide where bidirectional, written out."""
    results = []
    for suffix in ("", "_reverse")[: 1 + gru.bidirectional]:
        input_weight, state_weight, input_bias, state_bias = (
            getattr(gru, f"{name}_l0{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        steps = nn.functional.linear(x_BTD, input_weight, input_bias).unbind(dim=1)
        h_BD = torch.zeros_like(steps[0][:, : gru.hidden_size])
        states = []
        for step in reversed(steps) if suffix else steps:
            reset_x, update_x, new_x = step.chunk(3, dim=1)
            reset_h, update_h, new_h = nn.functional.linear(h_BD, state_weight, state_bias).chunk(3, dim=1)
            update_BD = torch.sigmoid(update_x + update_h)
            new_BD = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
            h_BD = (1 - update_BD) * new_BD + update_BD * h_BD
            states.append(h_BD)
        results.append(torch.stack(states[::-1] if suffix else states, dim=1))
    return torch.cat(results, dim=2)


class TransformerBlock(nn.Module):
    """Pre-norm self-attention and feed-forward, each with a residual (Vaswani et al. 2017; Xiong et al. 2020).

    The attention is written out, softmax(q k^T / sqrt(D)) v: torch's fused kernel has no batching rule, and its cost is not counted.
    """

    def __init__(self, width: int, dropout: float, *, heads: int = 4, expansion: int = 2) -> None:
        super().__init__()
        self.heads = largest_heads(width, heads)
        self.norm_attention, self.norm_feed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, expansion * width), nn.GELU(), Dropout(dropout), nn.Linear(expansion * width, width))
        self.dropout = Dropout(dropout)

    def forward(self, x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:
        """Map (B, T, D) to (B, T, D); nothing attends to tokens that a mask leaves out."""
        batch, tokens, width = x_BTD.shape
        qkv = self.qkv(self.norm_attention(x_BTD)).reshape(batch, tokens, 3, self.heads, width // self.heads)
        q_BHTd, k_BHTd, v_BHTd = qkv.permute(2, 0, 3, 1, 4)
        scores_BHTT = q_BHTd @ k_BHTd.transpose(-1, -2) * (width // self.heads) ** -0.5
        if mask_BT is not None:
            scores_BHTT = torch.where(mask_BT[:, None, None], scores_BHTT, torch.finfo(scores_BHTT.dtype).min)
        weights_BHTT = scores_BHTT.softmax(dim=-1)
        mixed_BTD = (self.dropout(weights_BHTT) @ v_BHTd).transpose(1, 2).reshape(batch, tokens, width)
        x_BTD = x_BTD + self.dropout(self.merge(mixed_BTD))
        result: Tensor = x_BTD + self.dropout(self.feed(self.norm_feed(x_BTD)))
        return result
