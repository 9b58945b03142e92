"""What a pass over shapes says of single layers, against the same layers where they run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from fusearch.evaluators.shape_pass import UNCOUNTED, ShapePass, _answer


def where_it_runs(build: Callable[[], nn.Module], shape: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
    """Return operations, bytes kept and the shape of the result of a real pass."""
    layer, kept = build(), {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    own = {weight.untyped_storage().data_ptr() for weight in layer.parameters()}
    with (
        FlopCounterMode(display=False, custom_mapping=dict(UNCOUNTED)) as counter,
        torch.autograd.graph.saved_tensors_hooks(keep, lambda each: each),
    ):
        result = layer(torch.zeros(shape))
    result = result[0] if isinstance(result, tuple) else result
    return counter.get_total_flops(), sum(each.nbytes() for place, each in kept.items() if place not in own), tuple(result.shape)


def from_shapes(build: Callable[[], nn.Module], shape: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
    with ShapePass() as counted:
        layer = build()
        result = layer(torch.zeros(shape))
    result = result[0] if isinstance(result, tuple) else result
    assert result.is_meta
    return counted.operations, counted.kept(layer.parameters()), tuple(result.shape)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 9])
@pytest.mark.parametrize(
    "options", [{}, {"bidirectional": True}, {"num_layers": 2}, {"num_layers": 2, "bidirectional": True, "bias": False}]
)
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("kind", [nn.GRU, nn.RNN])
def test_further_steps_of_a_recurrent_layer_are_counted_like_the_third(kind, batch_first, options, steps) -> None:
    shape = (5, steps, 3) if batch_first else (steps, 5, 3)

    def build() -> nn.Module:
        return kind(3, 8, batch_first=batch_first, **options)

    assert from_shapes(build, shape) == where_it_runs(build, shape)


def test_operations_of_an_lstm_are_those_of_its_four_gates() -> None:
    assert from_shapes(lambda: nn.LSTM(6, 4, batch_first=True), (2, 10, 6))[0] == 2 * 2 * 10 * 4 * (6 * 4 + 4 * 4)


def test_a_long_series_takes_no_more_operations_than_a_short_one() -> None:
    def asked(steps: int) -> int:
        before = _answer.cache_info()
        from_shapes(lambda: nn.GRU(3, 8, batch_first=True), (2, steps, 3))
        after = _answer.cache_info()
        return after.hits + after.misses - before.hits - before.misses

    assert asked(10_000) == asked(10) > 0


def test_each_operation_is_asked_once() -> None:
    layer = nn.Sequential(nn.Linear(3, 77), nn.LayerNorm(77), nn.GELU(), nn.Linear(77, 2))
    from_shapes(lambda: layer.to("meta"), (13, 3))
    before = _answer.cache_info().misses
    from_shapes(lambda: layer.to("meta"), (13, 3))
    assert _answer.cache_info().misses == before


class Calls(nn.Module):
    """A layer that is one function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.linear = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.linear(x))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.stack([part.sigmoid() for part in x.unsafe_chunk(3, 1)]).square(),  # views that do not say so
        lambda x: torch.cat([x * 2, x.exp_()]).tanh_(),
        lambda x: (x.long() * 2).float() * x,  # 2 and 2.0 give other types
        lambda x: (x.long() * 2.0) * x,
        lambda x: x[:, torch.tensor([0, 2])] * x.new_ones(2),
        lambda x: x * torch.randint(9, (6,), generator=torch.Generator()),
        lambda x: x.expand(4, *x.shape) * x.mean(),
        lambda x: torch.fft.irfft(torch.fft.rfft(x) ** 2, n=6),
        lambda x: nn.functional.dropout(x, 0.5).relu_(),
        lambda x: x * int(torch.prod(torch.tensor(x.shape)).item()),  # sizes are numbers, also in a tensor
    ],
)
def test_operations_of_all_sorts_keep_what_they_keep_where_they_run(function: Callable[[Tensor], Tensor]) -> None:
    assert from_shapes(lambda: Calls(function), (5, 6)) == where_it_runs(lambda: Calls(function), (5, 6))


def test_values_are_not_there() -> None:
    with ShapePass(), pytest.raises(RuntimeError, match="meta"):
        torch.zeros(3).sum().item()
    assert torch.zeros(3).sum().item() == 0, "and outside of the block they are"
