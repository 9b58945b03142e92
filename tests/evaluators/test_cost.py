"""Costs against counts by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from fusearch.data.modality import Modality
from fusearch.evaluators.cost import count_macs, count_parameters, example_inputs, measure_latency, measure_peak_memory
from fusearch.evaluators.network.blocks import RecurrentBlock, TransformerBlock
from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.evaluators.operators.sketch import CompactBilinear


def test_macs_of_linear_and_convolution_layers() -> None:
    assert count_macs(nn.Linear(7, 5), torch.zeros(1, 7)) == 35
    assert count_macs(nn.Conv2d(3, 8, 3, padding=1), torch.zeros(1, 3, 4, 6)) == 8 * 3 * 9 * 24


def test_a_gru_is_not_free() -> None:
    assert count_macs(RecurrentBlock(6, 4, 0.1), torch.zeros(1, 10, 6)) == 10 * 3 * (6 * 4 + 4 * 4)


def test_attention_is_not_free() -> None:
    tokens, width = 5, 8
    projections, products, feed = tokens * 4 * width**2, 2 * tokens**2 * width, tokens * 2 * 2 * width**2
    assert count_macs(TransformerBlock(width, 0.0), torch.zeros(1, tokens, width)) == projections + products + feed


class Calls(nn.Module):
    """A network that is one function."""

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.function(*inputs)


TOKENS, WIDTH, FEED = 5, 8, 16
ATTENTION = TOKENS * 4 * WIDTH**2 + 2 * TOKENS**2 * WIDTH


@pytest.mark.parametrize(
    ("network", "shapes", "expected"),
    [
        (Calls(torch.bmm), [(2, 3, 4), (2, 4, 5)], 2 * 3 * 4 * 5),
        (Calls(torch.addbmm), [(3, 5), (2, 3, 4), (2, 4, 5)], 2 * 3 * 4 * 5),
        (Calls(torch.mv), [(3, 4), (4,)], 3 * 4),
        (Calls(torch.addmv), [(3,), (3, 4), (4,)], 3 * 4),
        (Calls(torch.dot), [(4,), (4,)], 4),
        (Calls(lambda a, b: torch.einsum("bti,ijk->btjk", a, b)), [(2, 5, 3), (3, 4, 6)], 2 * 5 * 3 * 4 * 6),
        (Calls(lambda a, b: torch.einsum("btjk,btj->btk", a, b)), [(2, 5, 4, 6), (2, 5, 4)], 2 * 5 * 4 * 6),
        (nn.Bilinear(3, 4, 5), [(7, 2, 3), (7, 2, 4)], 14 * 3 * 4 * 5),
        (nn.Conv1d(8, 12, 3, groups=4), [(1, 8, 10)], 12 * (8 // 4) * 3 * 8),
        (nn.Conv3d(1, 2, 3), [(1, 1, 5, 5, 5)], 2 * 3**3 * 3**3),
        (nn.ConvTranspose2d(3, 4, 2), [(1, 3, 5, 5)], 5 * 5 * 3 * 4 * 2 * 2),
        (nn.GRU(6, 4, batch_first=True, bidirectional=True), [(1, 10, 6)], 2 * 10 * 3 * (6 * 4 + 4 * 4)),
        (nn.LSTM(6, 4, batch_first=True), [(2, 10, 6)], 2 * 10 * 4 * (6 * 4 + 4 * 4)),
        (nn.LSTM(6, 4, num_layers=2), [(10, 1, 6)], 10 * 4 * (6 * 4 + 4 * 4 + 4 * 4 + 4 * 4)),
        (nn.MultiheadAttention(WIDTH, 2, batch_first=True), [(1, TOKENS, WIDTH)] * 3, ATTENTION),
        (nn.TransformerEncoderLayer(WIDTH, 2, FEED, batch_first=True), [(1, TOKENS, WIDTH)], ATTENTION + TOKENS * 2 * WIDTH * FEED),
        (Calls(nn.functional.scaled_dot_product_attention), [(1, 2, TOKENS, 4)] * 3, 2 * 2 * TOKENS**2 * 4),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, nn.Module) else "",
)
def test_what_computes_is_counted(network: nn.Module, shapes: list[tuple[int, ...]], expected: int) -> None:
    before = torch.backends.mha.get_fastpath_enabled()
    assert count_macs(network, *[torch.zeros(shape) for shape in shapes]) == expected
    assert torch.backends.mha.get_fastpath_enabled() == before


def test_a_fourier_transform_of_n_numbers_counts_five_n_log_n_operations_and_half_of_that_where_they_are_real() -> None:
    size = 64
    complex_macs = 5 * size * math.log2(size) / 2
    assert count_macs(Calls(torch.fft.fft), torch.zeros(3, size, dtype=torch.complex64)) == 3 * complex_macs
    assert count_macs(Calls(torch.fft.rfft), torch.zeros(3, size)) == 3 * complex_macs / 2
    half = torch.zeros(3, size // 2 + 1, dtype=torch.complex64)
    assert count_macs(Calls(lambda x: torch.fft.irfft(x, n=size)), half) == 3 * complex_macs / 2
    assert count_macs(Calls(torch.fft.rfft2), torch.zeros(2, 8, 8)) == 2 * complex_macs / 2
    assert count_macs(Calls(torch.fft.rfft), torch.zeros(3, 1)) == 0


def test_compact_bilinear_counts_its_sketches_and_its_transforms() -> None:
    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = CompactBilinear([TokenShape(4, 6), TokenShape(4, 10)], 8, dim=32)

        def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
            here = torch.ones(len(left), dtype=torch.bool)
            return self.layer([left, right], [here, here])

    sketches, transforms = 4 * (6 + 10) * 32, 3 * 4 * 2.5 * 32 * math.log2(32) / 2
    assert count_macs(Layer(), torch.zeros(1, 4, 6), torch.zeros(1, 4, 10)) == sketches + transforms


def test_counting_leaves_the_network_as_it_was() -> None:
    network = nn.Linear(2, 2).train()
    count_macs(network, torch.zeros(1, 2))
    assert network.training
    assert network.weight.grad is None


def test_parameters_are_counted_once_where_they_are_shared() -> None:
    layer = nn.Linear(3, 3)
    assert count_parameters(nn.Sequential(layer, layer)) == 12


def test_example_inputs_have_the_shapes_of_the_modalities() -> None:
    inputs, present = example_inputs([Modality("cxr", "image2d", (1, 4, 5)), Modality("t", "tabular", (3,))], batch=2)
    assert {name: tuple(values.shape) for name, values in inputs.items()} == {"cxr": (2, 1, 4, 5), "t": (2, 3)}
    assert all(mask.all() and mask.shape == (2,) for mask in present.values())


def test_peak_memory_counts_what_is_alive_at_once() -> None:
    rows, width = 100, 50
    chain = nn.Sequential(*[nn.ReLU() for _ in range(10)])
    # The input and at any time the argument and the result of one layer; earlier results are gone.
    assert measure_peak_memory(chain, torch.zeros(rows, width)) == 3 * rows * width * 4 / 1e6
    assert measure_peak_memory(nn.Sequential(nn.ReLU(inplace=True)), torch.zeros(rows, width)) == rows * width * 4 / 1e6
    assert measure_peak_memory(nn.Linear(50, 2, bias=False), torch.zeros(1, 50)) == (100 + 50 + 2) * 4 / 1e6


def test_latency_is_a_positive_time_and_the_network_runs_in_evaluation_mode() -> None:
    class Probe(nn.Module):
        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert not self.training
            assert not torch.is_grad_enabled()
            Probe.calls += 1
            return x

    assert measure_latency(Probe().train(), torch.zeros(1), repeats=3, warmup=2) > 0
    assert Probe.calls == 5


def test_latency_leaves_the_warm_up_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which the first five passes take 100 s and the others 1 s."""
    now = [0.0]

    class Clocked(nn.Module):
        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            Clocked.calls += 1
            now[0] += 100.0 if Clocked.calls <= 5 else 1.0
            return x

    monkeypatch.setattr("fusearch.evaluators.cost.time.perf_counter", lambda: now[0])
    assert measure_latency(Clocked(), torch.zeros(1), repeats=3, warmup=5) == 1000.0
