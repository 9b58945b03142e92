"""Half precision of matrix products in training: torch's autocast, also for what it does not reach inside `vmap`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

__all__ = ["half_precision", "mixed_precision"]

#: What autocast takes in half precision, but not, or not wholly, inside `vmap`: by the time that it sees them they are other operations.
_UNREACHED = {
    torch.nn.functional.linear,
    torch.conv1d,
    torch.conv2d,
    torch.conv3d,
    torch.conv_transpose1d,
    torch.conv_transpose2d,
    torch.conv_transpose3d,
    torch.prelu,
}


def mixed_precision(device: torch.device, wanted: bool) -> torch.dtype | None:
    """Return the half-precision type to use on `device`, or None for float32 throughout (always on the CPU)."""
    if not wanted or device.type != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


@contextlib.contextmanager
def half_precision(device: torch.device, dtype: torch.dtype | None) -> Iterator[None]:
    """Use half precision inside the block; None: do not."""
    if dtype is None:
        yield
    else:
        with torch.autocast(device.type, dtype=dtype), _Reached(dtype):
            yield


class _Reached(TorchFunctionMode):
    """Gives layers that autocast does not reach their arguments in half precision."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self._dtype = dtype

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _UNREACHED:
            args, kwargs = tuple(map(self._half, args)), {name: self._half(value) for name, value in kwargs.items()}
        return func(*args, **kwargs)

    def _half(self, value: Any) -> Any:
        return value.to(self._dtype) if isinstance(value, Tensor) and value.dtype == torch.float32 else value
