"""Runs networks on shapes alone: what a pass computes is counted before any tensor has a value or takes memory.

Axis letters: T steps, B batch, D width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache, lru_cache, partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

__all__ = ["UNCOUNTED", "ShapePass"]

_META = torch.device("meta")

#: Operations that are remembered. One takes about a kilobyte, and 400 designs over a table, an image and a series have 10,000.
_REMEMBERED = 1 << 16

#: Types of arguments that an operation may be remembered by.
_PLAIN = (int, float, complex, bool, str, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format)


class ShapePass:
    """Inside the block tensors have shapes and no values, on torch's `meta` device; what is computed and what is kept is counted.

    torch answers on `meta` in Python: 0.2 to 4 milliseconds for a normalization, an activation or a sum, where the CPU computes a small
    one faster. So each operation is asked once for each shape of its arguments, and is remembered; and of a recurrent layer three steps
    are run, since each further one adds the same. What is made of real tensors alone, as sizes sometimes are, is computed.

    Attributes:
        operations: Floating-point operations so far, of matrix products, convolutions, recurrent layers, attention and Fourier transforms.

    Example:
        >>> with ShapePass() as counted:
        ...     result = torch.nn.Linear(10**6, 10**6)(torch.zeros(1, 10**6))
        >>> result.shape, counted.operations
        (torch.Size([1, 1000000]), 2000000000000)
    """

    def __init__(self) -> None:
        self.operations = 0
        self._kept: dict[int, torch.UntypedStorage] = {}  # the storages are held, so that no other gets the place of one
        self._kept_by_steps = 0
        self._block = ExitStack()

    def __enter__(self) -> ShapePass:
        self._block.enter_context(_attention_in_parts())
        self._block.enter_context(_Operations(self))
        self._block.enter_context(_Recurrences(self))
        self._block.enter_context(_keeping(self._kept))
        return self

    def __exit__(self, *error: object) -> None:
        self._block.close()

    def kept(self, weights: Iterable[Tensor] = ()) -> int:
        """Return the bytes that are kept for a backward pass: each storage once, those of the weights not at all."""
        own = {weight.untyped_storage()._cdata for weight in weights}
        return self._kept_by_steps + sum(storage.nbytes() for place, storage in self._kept.items() if place not in own)


@contextmanager
def _attention_in_parts() -> Iterator[None]:
    """Let torch's own attention layers run as the products that they consist of, not as one operation that counts nothing."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _keeping(kept: dict[int, torch.UntypedStorage]) -> AbstractContextManager[object]:
    """Note the storages of what autograd keeps inside the block. There is no way back from it: nothing is there to differentiate."""

    def keep(tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage

    return torch.autograd.graph.saved_tensors_hooks(keep, lambda nothing: nothing)


class _Recurrences(TorchFunctionMode):
    """Runs three steps of torch's recurrent layers, and counts the others like the third.

    As on the CPU, each direction keeps its own copy of a series that does not lie in memory step by step.
    """

    _LAYERS = ("gru", "lstm", "rnn_tanh", "rnn_relu")
    _STEPS = 3

    def __init__(self, counted: ShapePass) -> None:
        super().__init__()
        self._counted = counted

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") not in self._LAYERS or not isinstance(args[2], list):  # packed sequences stay as they are
            return func(*args, **(kwargs or {}))
        series, *rest, both_ways, batch_first = args
        series_TBD = series.transpose(0, 1) if batch_first else series
        copied_TBD = series_TBD.contiguous()
        if both_ways and torch.is_grad_enabled() and copied_TBD is not series_TBD:
            self._counted._kept_by_steps += copied_TBD.nbytes
        states_TBD, *last = self._run(partial(func, **(kwargs or {})), copied_TBD, [*rest, both_ways, False])
        return (states_TBD.transpose(0, 1) if batch_first else states_TBD, *last)

    def _run(self, layer: Callable[..., Any], series_TBD: Tensor, rest: Sequence[Any]) -> tuple[Any, ...]:
        more = len(series_TBD) - self._STEPS
        if more <= 0:
            return tuple(layer(series_TBD, *rest))
        found, series = [], series_TBD.untyped_storage()._cdata
        for steps in (self._STEPS - 1, self._STEPS):
            kept: dict[int, torch.UntypedStorage] = {}
            before = self._counted.operations
            with _keeping(kept):
                states, *last = layer(series_TBD[:steps], *rest)
            size = sum(storage.nbytes() for place, storage in kept.items() if place != series)
            found.append((self._counted.operations - before, size, kept))
        (fewer_operations, fewer_bytes, _), (operations, size, kept) = found
        self._counted.operations += more * (operations - fewer_operations) - fewer_operations
        self._counted._kept_by_steps += more * (size - fewer_bytes)
        self._counted._kept.update(kept)
        return torch.cat([states, states[:1].expand(more, -1, -1)]), *last


class _Operations(TorchDispatchMode):
    """Answers each operation by its shapes."""

    def __init__(self, counted: ShapePass) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves the base class untyped
        self._counted = counted

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kind, says_where = _facts(func)
        tensors = [each for each in _leaves((*args, *(kwargs or {}).values())) if isinstance(each, Tensor)]
        kwargs = {**(kwargs or {}), "device": _META} if says_where else kwargs or {}
        is_real = bool(tensors) and not says_where and not any(each.is_meta for each in tensors)
        if kind == "fill" and not is_real:
            return args[0]
        if kind == "new" and not is_real:
            answer = _remembered(func, args, kwargs)
            if answer is not None:
                result, operations = answer
                self._counted.operations += operations
                return _made(result, tuple)
        result = func(*args, **kwargs)
        self._counted.operations += _operations(func, args, kwargs, result)
        return result


class _Shape(NamedTuple):
    """What is known of a tensor."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype


class _Value(NamedTuple):
    """A plain value with its type: 1, 1.0 and True are equal, but give results of other types."""

    kind: type
    value: Any


def _leaves(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        yield from value if isinstance(value, list | tuple) else (value,)


def _described(value: Any) -> Any:
    if isinstance(value, Tensor):
        return _Shape(tuple(value.shape), value.stride(), value.dtype)
    if isinstance(value, list | tuple):
        return tuple(map(_described, value))
    if isinstance(value, _PLAIN):
        return _Value(type(value), value)
    raise TypeError(f"{type(value).__name__} is no plain value")


def _made(described: Any, series: type) -> Any:
    """Return what was described; tensors are new, and have no values."""
    if isinstance(described, _Shape):
        return torch.empty_strided(described.size, described.stride, dtype=described.dtype, device=_META)
    return described.value if isinstance(described, _Value) else series(_made(each, series) for each in described)


def _remembered(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, int] | None:
    """Return what an operation gives, described, and its floating-point operations; None where it has to be run."""
    try:
        return _answer(func, tuple(map(_described, args)), tuple((name, _described(value)) for name, value in kwargs.items()))
    except TypeError:  # an argument that is no number, such as a generator of random ones
        return None


@lru_cache(maxsize=_REMEMBERED)
def _answer(func: Any, args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]) -> tuple[Any, int] | None:
    given, named = [_made(each, list) for each in args], {name: _made(each, list) for name, each in kwargs}
    result = func(*given, **named)
    if _storages([*given, *named.values()]) & _storages([result]):  # a view that does not say so, such as `unsafe_split`
        return None
    return _described(result), _operations(func, given, named, result)


def _storages(values: Sequence[Any]) -> set[int]:
    return {each.untyped_storage()._cdata for each in _leaves(values) if isinstance(each, Tensor)}


@cache
def _facts(func: Any) -> tuple[Literal["new", "view", "fill"], bool]:
    """Say whether an operation makes tensors, gives a view of one or only fills one; and whether it says on which device."""
    schema = func._schema
    says_where = any(argument.name == "device" for argument in schema.arguments)
    written = [argument.name for argument in schema.arguments if argument.alias_info is not None and argument.alias_info.is_write]
    if written:
        fills = written == [schema.arguments[0].name] and len(schema.returns) == 1 and torch.Tag.inplace_view not in func.tags
        return "fill" if fills else "view", says_where
    return "view" if any(each.alias_info is not None for each in schema.returns) else "new", says_where


def _operations(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> int:
    """Return the floating-point operations of a call."""
    packet = func._overloadpacket
    if packet in UNCOUNTED:
        return UNCOUNTED[packet](*map(_sizes, args), out_shape=_sizes(result))
    return int(flop_registry[packet](*args, **kwargs, out_val=result)) if packet in flop_registry else 0


def _sizes(value: Any) -> Any:
    return value.shape if isinstance(value, Tensor) else value


def _transform(shape: Sequence[int], dims: Sequence[int], each: float) -> int:
    length = math.prod(shape[dim] for dim in dims)
    return round(each * math.prod(shape) * math.log2(length)) if length else 0


#: Floating-point operations of what torch's counter takes for free, by its arguments, tensors as their shapes.
UNCOUNTED: Mapping[Any, Callable[..., int]] = {
    torch.ops.aten._fft_c2c: lambda x, dims, *_, **__: _transform(x, dims, 5.0),
    torch.ops.aten._fft_r2c: lambda x, dims, *_, **__: _transform(x, dims, 2.5),
    torch.ops.aten._fft_c2r: lambda _, dims, *__, out_shape: _transform(out_shape, dims, 2.5),
    torch.ops.aten._trilinear: lambda left, weight, *_, **__: 2 * left[0] * math.prod(weight[-3:]),
    torch.ops.aten.mv: lambda matrix, *_, **__: 2 * math.prod(matrix),
    torch.ops.aten.addmv: lambda _, matrix, *__, **___: 2 * math.prod(matrix),
    torch.ops.aten.dot: lambda left, *_, **__: 2 * math.prod(left),
    torch.ops.aten.addbmm: lambda _, left, right, **__: 2 * math.prod(left) * right[-1],
}
