"""What a design costs: parameters, multiply-accumulates and activation memory from shapes, latency and peak memory by measuring."""

from __future__ import annotations

import contextlib
import math
import statistics
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fusearch.data.modality import Modality
from fusearch.errors import EvaluationError
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.operator_layer import Losses
from fusearch.evaluators.shape_pass import ShapePass
from fusearch.evaluators.tasks import TaskLayer
from fusearch.search_space import Candidate

__all__ = [
    "MEASURED_COSTS",
    "count_activations",
    "count_costs",
    "count_macs",
    "count_parameters",
    "example_inputs",
    "measure_latency",
    "measure_peak_memory",
]

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


def count_costs(candidate: Candidate, task: TaskLayer, targets: Tensor, *, batch: int) -> dict[str, float]:
    """Return `parameters`, `macs` and `memory` of a design from its shapes alone: nothing is computed and nothing is allocated.

    Args:
        candidate: The design, its width and its dropout.
        task: What is predicted, fitted.
        targets: Of one row or more, as `task` encodes them.
        batch: Rows of a training step, for `memory`.

    Raises:
        EvaluationError: A layer needs values, not shapes alone.
    """
    modalities = candidate.graph.modalities
    try:
        with ShapePass():
            network = FusionNetwork.of(candidate, task)
        values = {"parameters": count_parameters(network), "macs": count_macs(network, *example_inputs(modalities, device="meta"))}
        losses = Losses(torch.empty((batch, *targets.shape[1:]), dtype=targets.dtype, device="meta"), task)
        values["memory"] = count_activations(network, *example_inputs(modalities, batch=batch, device="meta"), losses=losses)
    except (RuntimeError, TypeError) as error:
        said = " ".join(str(error).split())
        if "overflow" in said:  # a tensor of 2^63 bytes or more
            return dict.fromkeys(("parameters", "macs", "memory"), math.inf)
        if "meta" not in said:
            raise
        raise EvaluationError(f"the cost cannot be counted from shapes, a layer asks for the values of its tensors: {said}") from error
    return {name: float(value) for name, value in values.items()}


def count_macs(network: nn.Module, *inputs: Any) -> int:
    """Return the multiply-accumulates of one forward pass in evaluation mode; network and inputs are on the `meta` device.

    Half the floating-point operations of matrix products, convolutions, recurrent layers, attention and Fourier transforms; element-wise
    work is free. A Fourier transform of N complex numbers counts 5 N log2 N operations, of N real ones half of that, as benchmarks of
    FFTW do (https://www.fftw.org/speed/method.html).
    """
    with _in_mode(network, training=False), ShapePass() as counted, torch.no_grad():
        network(*inputs)
    return counted.operations // 2


def count_activations(
    network: FusionNetwork, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor], losses: Losses | None = None
) -> int:
    """Return the bytes that a training step keeps of its forward pass for the backward one, in float32, on the `meta` device.

    Each storage counts once, weights not at all. The loss of the outputs is left out: it keeps a few numbers a row.

    Args:
        network: The network of a design.
        inputs: A batch of what it reads.
        present: Its masks.
        losses: Where its operators put losses of their own.
    """
    with _in_mode(network, training=True), ShapePass() as counted:
        network.run(inputs, present, losses)
    return counted.kept([*network.parameters(), *network.buffers()])


@contextlib.contextmanager
def _in_mode(network: nn.Module, *, training: bool) -> Iterator[None]:
    before = network.training
    network.train(training)
    try:
        yield
    finally:
        network.train(before)


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
