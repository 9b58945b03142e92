"""Costs against counts by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fusearch.data.modality import Modality
from fusearch.evaluators.cost import count_macs, count_parameters, example_inputs, measure_latency, measure_peak_memory
from fusearch.evaluators.network.blocks import RecurrentBlock, TransformerBlock


def test_macs_of_linear_and_convolution_layers() -> None:
    assert count_macs(nn.Linear(7, 5), torch.zeros(1, 7)) == 35
    assert count_macs(nn.Conv2d(3, 8, 3, padding=1), torch.zeros(1, 3, 4, 6)) == 8 * 3 * 9 * 24


def test_a_gru_is_not_free() -> None:
    assert count_macs(RecurrentBlock(6, 4, 0.1), torch.zeros(1, 10, 6)) == 10 * 3 * (6 * 4 + 4 * 4)


def test_attention_is_not_free() -> None:
    tokens, width = 5, 8
    projections, products, feed = tokens * 4 * width**2, 2 * tokens**2 * width, tokens * 2 * 2 * width**2
    assert count_macs(TransformerBlock(width, 0.0), torch.zeros(1, tokens, width)) == projections + products + feed


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
