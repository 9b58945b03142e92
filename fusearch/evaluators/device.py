"""Which device computes: what a name such as `auto` or `cuda:1` stands for on this machine."""

from __future__ import annotations

import torch

from fusearch.errors import EvaluationError

__all__ = ["describe_device", "find_device"]


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
    return device


def describe_device(device: torch.device) -> str:
    """Return what people call a device: `cpu`, or `cuda:0 (NVIDIA H100)`."""
    if device.type != "cuda":
        return str(device)
    return f"cuda:{device.index or 0} ({torch.cuda.get_device_name(device)})"
