"""Which device computes: what a name such as `auto` or `cuda:1` stands for on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable

import torch

from fusearch.errors import EvaluationError

__all__ = ["describe_device", "device_for", "find_device", "room_for_folds"]

#: Multiply-accumulates of a forward pass over one batch up to which `auto` keeps a design on the CPU: with 3 million a design took 1.3 s on
#: one core and 2.1 s on an H100, whose steps take 3 ms however small they are; images of 64 x 64 pixels 26 s and 0.45 s (decision 0038).
MOST_ON_CPU = 1e7

#: Bytes of prepared folds that a worker keeps on the CPU for later designs; of larger data it keeps the fold that was asked for last.
KEPT_ON_CPU = 2**28


def find_device(name: str | torch.device) -> torch.device:
    """Return a device by its name: `cpu`, `cuda`, `cuda:1`, ...; `auto` is CUDA where there is a GPU.

    Raises:
        EvaluationError: There is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError):  # a CPU build of torch asserts that it has CUDA
        found = ["auto", "cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
        raise EvaluationError(f"device {str(name)!r} is not on this machine, expected one of: {', '.join(found)}") from None
    if device.type == "cuda":  # read at the first matrix product; without it these differ from run to run, and torch warns of that
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return device


def device_for(name: str | torch.device, macs: Callable[[], float]) -> torch.device:
    """Return where a design is trained: where it says, or with `auto` on a GPU if there is one and a step is large enough for it.

    Args:
        name: As in `find_device`.
        macs: Counts the multiply-accumulates of a forward pass over one batch; asked only where that decides.

    Raises:
        EvaluationError: There is no such device here.
    """
    is_small = name == "auto" and torch.cuda.is_available() and macs() <= MOST_ON_CPU
    return torch.device("cpu") if is_small else find_device(name)


def room_for_folds(device: torch.device) -> float:
    """Return how many bytes of prepared folds a worker keeps on a device: on a GPU, where a copy takes longer, a quarter of its memory."""
    return torch.cuda.mem_get_info(device)[1] / 4 if device.type == "cuda" else KEPT_ON_CPU


def describe_device(device: torch.device) -> str:
    """Return what people call a device: `cpu`, or `cuda:0 (NVIDIA H100)`."""
    if device.type != "cuda":
        return str(device)
    return f"cuda:{device.index or 0} ({torch.cuda.get_device_name(device)})"
