"""What a network costs: parameters and multiply-accumulates by counting, latency and memory by measuring."""

from __future__ import annotations

import contextlib
import math
import statistics
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from fusearch.data.modality import Modality

__all__ = ["MEASURED_COSTS", "count_macs", "count_parameters", "example_inputs", "measure_latency", "measure_peak_memory"]

#: Costs that are measured, not counted: the evaluator computes them only where asked.
MEASURED_COSTS = ("latency_ms", "peak_memory_mb")


def example_inputs(
    modalities: Iterable[Modality], *, batch: int = 1, device: torch.device | str = "cpu"
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return zeros of the modalities' shapes and masks that say that all are there."""
    inputs = {modality.name: torch.zeros(batch, *modality.shape, device=device) for modality in modalities}
    return inputs, {name: torch.ones(batch, dtype=torch.bool, device=device) for name in inputs}


def count_parameters(network: nn.Module) -> int:
    """Return the number of trainable numbers. A `FusionNetwork` holds no parameter that its outputs do not need."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, *inputs: Any) -> int:
    """Return the multiply-accumulates of one forward pass in evaluation mode.

    Half the floating-point operations of matrix products, convolutions, recurrent layers, attention and Fourier transforms; element-wise
    work is free. A Fourier transform of N complex numbers counts 5 N log2 N operations, of N real ones half of that, as benchmarks of
    FFTW do (https://www.fftw.org/speed/method.html). Inputs and network may be on the `meta` device, which computes nothing.
    """
    training = network.training
    network.eval()
    counter = FlopCounterMode(display=False, custom_mapping=_UNCOUNTED)
    with _attention_in_parts(), counter, torch.no_grad():
        network(*inputs)
    network.train(training)
    return int(counter.get_total_flops()) // 2


@contextlib.contextmanager
def _attention_in_parts() -> Iterator[None]:
    """Let torch's own attention layers run as the products that they consist of, not as one operation that counts nothing."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _transform(shape: Sequence[int], dims: Sequence[int], each: float) -> int:
    length = math.prod(shape[dim] for dim in dims)
    return round(each * math.prod(shape) * math.log2(length)) if length else 0


def _attention(query: Sequence[int], key: Sequence[int], value: Sequence[int]) -> int:
    return 2 * math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


#: Floating-point operations of what torch's counter takes for free, by its arguments, tensors as their shapes.
_UNCOUNTED: dict[Any, Callable[..., int]] = {
    torch.ops.aten._fft_c2c: lambda x, dims, *_, **__: _transform(x, dims, 5.0),
    torch.ops.aten._fft_r2c: lambda x, dims, *_, **__: _transform(x, dims, 2.5),
    torch.ops.aten._fft_c2r: lambda _, dims, *__, out_shape: _transform(out_shape, dims, 2.5),
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: lambda query, key, value, *_, **__: _attention(query, key, value),
    torch.ops.aten.mkldnn_rnn_layer: lambda x, to, back, *_, **__: 2 * math.prod(x[:-1]) * (math.prod(to) + math.prod(back)),
    torch.ops.aten._trilinear: lambda left, weight, *_, **__: 2 * left[0] * math.prod(weight[-3:]),
    torch.ops.aten.mv: lambda matrix, *_, **__: 2 * math.prod(matrix),
    torch.ops.aten.addmv: lambda _, matrix, *__, **___: 2 * math.prod(matrix),
    torch.ops.aten.dot: lambda left, *_, **__: 2 * math.prod(left),
    torch.ops.aten.addbmm: lambda _, left, right, **__: 2 * math.prod(left) * right[-1],
}


def measure_latency(network: nn.Module, *inputs: Any, repeats: int = 30, warmup: int = 5) -> float:
    """Return the median wall time of a forward pass in evaluation mode, in milliseconds; on CUDA the device is waited for."""
    cuda = any(leaf.is_cuda for leaf in tree_leaves(inputs) if isinstance(leaf, Tensor))
    network.eval()
    times = []
    with torch.inference_mode():
        for _ in range(warmup + repeats):
            start = time.perf_counter()
            network(*inputs)
            if cuda:
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
    return statistics.median(times[warmup:]) * 1e3


class _LiveStorage(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves the base class untyped
    """Keeps account of the bytes of the tensors that operations make, and of the most that were alive at once."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self.live = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = {leaf.untyped_storage()._cdata for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._track(leaf.untyped_storage(), given)
        return result

    def _track(self, storage: torch.UntypedStorage, given: set[int]) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known or key in given:
            return
        self._known.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._release, key, size)

    def _release(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.live -= size


def measure_peak_memory(network: nn.Module, *inputs: Any) -> float:
    """Return the most memory that weights, inputs and intermediate tensors of a forward pass take at once, in MB (10^6 bytes).

    Counted from the tensors themselves, so it is the same on every machine; it leaves out what an allocator or a library keeps beside them.
    """
    held = sum(tensor.nbytes for tensor in [*network.parameters(), *network.buffers()])
    held += sum(leaf.nbytes for leaf in tree_leaves(inputs) if isinstance(leaf, Tensor))
    network.eval()
    account = _LiveStorage()
    with account, torch.no_grad():
        network(*inputs)
    return (held + account.peak) / 1e6
