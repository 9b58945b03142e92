"""Costs against counts by hand, and, for whole designs, against what torch counts where they run."""

from __future__ import annotations

import contextlib
import itertools
import math
import resource
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
import torch
from few import few
from hypothesis import given, settings
from installed import need_encoders, need_streams
from strategies import WIDE, candidates
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from toy_tasks import class_task

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.errors import EvaluationError
from fusearch.evaluators.cost import (
    count_costs,
    count_macs,
    count_parameters,
    example_inputs,
    measure_latency,
    measure_peak_memory,
)
from fusearch.evaluators.extension import fusion_operator
from fusearch.evaluators.network.blocks import RecurrentBlock, TransformerBlock
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.operator_layer import LAYERS, Losses, OperatorLayer, TokenShape
from fusearch.evaluators.operators.sketch import CompactBilinear
from fusearch.evaluators.shape_pass import UNCOUNTED
from fusearch.search_space import OPERATORS, Candidate, FusionGraph, Operator, Recipe, SearchSpace
from fusearch.search_space.encoders import encoders_for
from fusearch.search_space.published import PUBLISHED, published_design
from fusearch.settings import Settings
from fusearch.testing.encoder_case import kind_shapes

BATCH = 6
CLASSES = 3
TARGETS = torch.tensor([0, 1, 2, 0, 1, 2])


def counted(candidate: Candidate) -> dict[str, float]:
    return count_costs(candidate, class_task(CLASSES), TARGETS[:1], batch=BATCH)


@contextlib.contextmanager
def without_onednn() -> Iterator[None]:
    """Compute by torch's own kernels: the fused LSTM of oneDNN is one operation that torch counts nothing of, with memory of its own."""
    before = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(before)


def counted_where_it_runs(candidate: Candidate) -> dict[str, float]:
    """Build the network, and let torch count what one real pass computes, and what autograd keeps of a real training step."""
    network = FusionNetwork.of(candidate, class_task(CLASSES))
    modalities = candidate.graph.modalities
    with FlopCounterMode(display=False, custom_mapping=dict(UNCOUNTED)) as counter, torch.no_grad(), without_onednn():
        network.eval()(*example_inputs(modalities))
    own = {weight.untyped_storage().data_ptr() for weight in [*network.parameters(), *network.buffers()]}
    kept = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), without_onednn():
        network.train().run(*example_inputs(modalities, batch=BATCH), Losses(TARGETS, class_task(CLASSES)))
    return {
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "macs": counter.get_total_flops() // 2,
        "memory": sum(storage.nbytes() for place, storage in kept.items() if place not in own),
    }


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(candidates(WIDE))
def test_a_drawn_design_costs_from_its_shapes_what_it_costs_where_it_runs(candidate: Candidate) -> None:
    """Memory to a twentieth: rarely a CPU lays values out so that it keeps a copy more or less than shapes tell."""
    told, found = counted(candidate), counted_where_it_runs(candidate)
    assert told == {**found, "memory": pytest.approx(found["memory"], rel=0.05)}


@pytest.mark.parametrize("operator", few(OPERATORS))
def test_each_operator_costs_from_its_shapes_what_it_costs_where_it_runs(operator: str) -> None:
    """Of vectors and grids, with trunks that go on token by token and along the tokens."""
    modalities = (Modality("a", "tabular", (5,)), Modality("b", "image2d", (2, 6, 4)), Modality("c", "timeseries", (7, 3)))
    space = SearchSpace(modalities, operators=(operator, "cat"), trunks=("fc", "conv", "rnn", "attention"), max_fusions=2)
    rng = np.random.default_rng(0)
    drawn = (space.sample(rng) for _ in range(2000))
    having = (candidate for candidate in drawn if any(fusion.operator == operator for fusion in candidate.graph.fusions))
    found = list(itertools.islice(having, 2))
    assert len(found) == 2
    for candidate in found:
        assert counted(candidate) == counted_where_it_runs(candidate), str(candidate.graph)


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_encoder_costs_from_its_shapes_what_it_costs_where_it_runs(kind: str) -> None:
    for shape in kind_shapes(kind):
        modality = Modality("m", kind, shape)
        for encoder in encoders_for(modality):
            need_encoders(encoder)
            candidate = Candidate(FusionGraph.parse(f"m:{encoder}\nm@L ->", modalities=[modality]), Recipe(width=16))
            assert counted(candidate) == counted_where_it_runs(candidate), (encoder, shape)


@pytest.mark.parametrize("number", list(PUBLISHED))
def test_published_designs_cost_from_their_shapes_what_they_cost_where_they_run(number: int) -> None:
    candidate = Candidate(published_design(number), Recipe(width=8))
    need_streams(candidate.graph)
    assert counted(candidate) == counted_where_it_runs(candidate)


GIANTS = (
    # A gate for each pair of values of two images: 6.0e8 and 9.7e9 parameters.
    "left:flatten | right:flatten\nF1 = gated_cat(left@0, right@0; trunk=fc:1) ->",
    # Attention of every position to every other one: 160 GB and 2.2 TB.
    "left:identity | right:identity\nF1 = self_attention(left@0, right@0; trunk=attention:1) ->",
    # 4,096 and 16,384 steps.
    "left:identity | right:identity\nF1 = sum(left@0, right@0; trunk=rnn:2) ->",
)


@pytest.mark.parametrize("side", [64, 128])
@pytest.mark.parametrize("formula", GIANTS, ids=lambda formula: formula.split("F1 = ")[1].split("(")[0])
def test_a_giant_is_refused_and_takes_no_memory(formula: str, side: int) -> None:
    modalities = [Modality(name, "image2d", (3, side, side)) for name in ("left", "right")]
    candidate = Candidate(FusionGraph.parse(formula, modalities=modalities), Recipe(width=64))
    count_costs(candidate, class_task(CLASSES), TARGETS[:1], batch=1)  # what torch imports for it is not the design's
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    costs = count_costs(candidate, class_task(CLASSES), TARGETS[:1], batch=64)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert Settings().refusal(costs) is not None
    assert grown < 1e-2 * max(4 * costs["parameters"], costs["memory"])


def test_what_is_beyond_all_numbers_of_bytes_is_refused_too() -> None:
    modalities = [Modality(name, "image2d", (3, 10**5, 10**5)) for name in ("left", "right")]
    costs = count_costs(
        Candidate(FusionGraph.parse(GIANTS[0], modalities=modalities), Recipe()), class_task(CLASSES), TARGETS[:1], batch=64
    )
    assert costs == {"parameters": math.inf, "macs": math.inf, "memory": math.inf}
    assert Settings().refusal(costs) is not None


def test_a_layer_that_reads_values_is_told_as_one() -> None:
    @fusion_operator(Operator("nosy", family="tensor", equation="y = x_1"))
    class Nosy(OperatorLayer):
        def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
            super().__init__()
            self.out = shapes[0]

        def forward(self, xs: list[torch.Tensor], present: list[torch.Tensor], losses: Losses | None = None) -> torch.Tensor:
            return xs[0] if xs[0].max() > 0 else -xs[0]

    try:
        tables = [Modality("a", "tabular", (5,)), Modality("b", "tabular", (5,))]
        graph = FusionGraph.parse("F1 = nosy(a@0, b@0) ->", modalities=tables)
        with pytest.raises(EvaluationError, match=r"cannot be counted from shapes, a layer asks for the values of its tensors: .* meta"):
            counted(Candidate(graph, Recipe()))
    finally:
        OPERATORS.remove("nosy")
        LAYERS.remove("nosy")


def test_counting_moves_no_random_numbers() -> None:
    before = torch.get_rng_state()
    for number in list(PUBLISHED)[:10]:
        counted(Candidate(published_design(number), Recipe(width=8)))
    assert torch.equal(torch.get_rng_state(), before)


def macs(network: nn.Module, *shapes: tuple[int, ...], dtype: torch.dtype = torch.float32) -> int:
    return count_macs(network.to("meta"), *(torch.empty(shape, dtype=dtype, device="meta") for shape in shapes))


def test_macs_of_linear_and_convolution_layers() -> None:
    assert macs(nn.Linear(7, 5), (1, 7)) == 35
    assert macs(nn.Conv2d(3, 8, 3, padding=1), (1, 3, 4, 6)) == 8 * 3 * 9 * 24


def test_a_gru_is_not_free() -> None:
    assert macs(RecurrentBlock(6, 4, 0.1), (1, 10, 6)) == 10 * 3 * (6 * 4 + 4 * 4)


def test_attention_is_not_free() -> None:
    tokens, width = 5, 8
    projections, products, feed = tokens * 4 * width**2, 2 * tokens**2 * width, tokens * 2 * 2 * width**2
    assert macs(TransformerBlock(width, 0.0), (1, tokens, width)) == projections + products + feed


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
    assert macs(network, *shapes) == expected
    assert torch.backends.mha.get_fastpath_enabled() == before


def test_a_fourier_transform_of_n_numbers_counts_five_n_log_n_operations_and_half_of_that_where_they_are_real() -> None:
    size = 64
    complex_macs = 5 * size * math.log2(size) / 2
    assert macs(Calls(torch.fft.fft), (3, size), dtype=torch.complex64) == 3 * complex_macs
    assert macs(Calls(torch.fft.rfft), (3, size)) == 3 * complex_macs / 2
    half = (3, size // 2 + 1)
    assert macs(Calls(lambda x: torch.fft.irfft(x, n=size)), half, dtype=torch.complex64) == 3 * complex_macs / 2
    assert macs(Calls(torch.fft.rfft2), (2, 8, 8)) == 2 * complex_macs / 2
    assert macs(Calls(torch.fft.rfft), (3, 1)) == 0


def test_compact_bilinear_counts_its_sketches_and_its_transforms() -> None:
    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = CompactBilinear([TokenShape(4, 6), TokenShape(4, 10)], 8, dim=32)

        def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
            here = torch.ones(len(left), dtype=torch.bool, device=left.device)
            return self.layer([left, right], [here, here])

    sketches, transforms = 4 * (6 + 10) * 32, 3 * 4 * 2.5 * 32 * math.log2(32) / 2
    assert macs(Layer(), (1, 4, 6), (1, 4, 10)) == sketches + transforms


def test_counting_leaves_the_network_as_it_was() -> None:
    network = nn.Linear(2, 2).train()
    macs(network, (1, 2))
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
