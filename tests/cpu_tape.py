"""A CUDA graph for the CPU: what a region does is noted operation by operation, and done again on the same tensors.

As in a graph, the Python code of a region runs no more: every number, shape and address is what it was while it was noted. What a graph
cannot hold is refused with the same consequence, an error in the capture: a value that the CPU would wait for, a shape that hangs on
values, a tensor that is made from Python values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Tape", "Watch"]

#: Operations that wait for a value, or whose result has a shape that hangs on values.
REFUSED = {"_local_scalar_dense", "item", "equal", "is_nonzero", "nonzero", "masked_select", "unique_dim", "_unique2", "unique_consecutive"}


def tensors(value: Any) -> Iterator[Tensor]:
    """Give the tensors in arguments or results of an operation, which nest in lists and tuples alone: torch's general walk is slow."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors(each)


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """Refuses, below `vmap` and gradients, what a graph cannot hold."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.__name__.partition(".")[0]
        given = [*tensors(args), *tensors([*kwargs.values()])]
        if name in REFUSED:
            raise RuntimeError(f"{func} in a region that is captured: it waits for a value")
        if name == "lift_fresh" and args[0].ndim:
            raise RuntimeError("a tensor is made from Python values in a region that is captured")
        indices = args[1] if name in {"index", "index_put", "index_put_", "_unsafe_index"} else ()
        if any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in indices):
            raise RuntimeError(f"{func} by a mask in a region that is captured: its shape hangs on values")
        return self.done(func, args, kwargs, given)

    def done(self, func: Any, args: Any, kwargs: Any, given: list[Tensor]) -> Any:
        """Do it."""
        return func(*args, **kwargs)


class Tape(Watch):
    """Records what a region does. Operations are done while they are noted, which a capture does not do; then what they changed is undone.

    Args:
        device: Where the regions compute.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device = device
        self.entries = list[tuple[Any, Any, Any, list[Tensor]]]()

    def warm_up(self, region: Callable[[], None]) -> None:
        """Run a region."""
        with Watch():
            region()

    def capture(self, region: Callable[[], None]) -> Callable[[], None]:
        """Note what a region does, put back what it changed, and return what does it again."""
        self.entries = entries = []
        self.before = dict[int, tuple[Tensor, Tensor]]()
        random = torch.get_rng_state()
        try:
            with self:
                region()
        finally:
            with torch.no_grad():
                for tensor, values in self.before.values():
                    tensor.copy_(values)
            torch.set_rng_state(random)

        @torch.no_grad()
        def replay() -> None:
            for func, args, kwargs, results in entries:
                again = list(tensors(func(*args, **kwargs)))
                for result, new in zip(results, again, strict=True):
                    if result.data_ptr() != new.data_ptr():
                        result.copy_(new)

        return replay

    def done(self, func: Any, args: Any, kwargs: Any, given: list[Tensor]) -> Any:
        """Note it and do it; before something is changed in place its whole memory is kept."""
        if func._schema.is_mutable:
            for tensor in given:
                storage = tensor.untyped_storage()
                if storage._cdata not in self.before:
                    whole = torch.empty(0, dtype=tensor.dtype).set_(storage)
                    self.before[storage._cdata] = (whole, whole.clone())
        result = func(*args, **kwargs)
        self.entries.append((func, args, kwargs, list(tensors(result))))
        return result
