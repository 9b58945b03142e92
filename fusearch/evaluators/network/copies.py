"""Networks of one graph and width, each with a random start of its own, for the price of a copy instead of a construction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from fusearch.evaluators.network.blocks import Dropout
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.tasks import TaskLayer
from fusearch.search_space import Candidate, Recipe

__all__ = ["Copies"]


class Copies:
    """Makes networks, each what `build` would make of the same random numbers, bit by bit.

    The first network is built, and what its start was drawn by is noted. The second, and the first one of each other dropout, is built and
    copied, and both are compared, with what is left of the random numbers. Where they agree the others are copied, else they are built.
    A copy takes a third of the time; the first two take six times as long, so it is for many networks.

    Args:
        build: Makes the network of a recipe; all recipes have one width.

    Attributes:
        num_copied: How many networks were copied.
    """

    #: From how many networks on copies are worth it.
    MANY = 24

    def __init__(self, build: Callable[[Recipe], FusionNetwork]) -> None:
        self._build = build
        self._mold: _Mold | None = None
        self._refused = False
        self._agreed = set[float]()
        self.num_copied = 0

    @classmethod
    def worth_it(cls, candidate: Candidate, task: TaskLayer, count: int) -> Copies | None:
        """Return what makes networks of the graph and width of a candidate; None where so few are built as fast."""
        return cls(lambda recipe: FusionNetwork.of(replace(candidate, recipe=recipe), task)) if count >= cls.MANY else None

    def make(self, recipe: Recipe) -> FusionNetwork:
        """Return a network of a recipe, with a start from torch's random numbers."""
        if self._refused:
            return self._build(recipe)
        if self._mold is None:
            return self._first(recipe)
        if recipe.dropout not in self._agreed:
            return self._compared(self._mold, recipe)
        self.num_copied += 1
        return self._mold.copy(recipe)

    def _first(self, recipe: Recipe) -> FusionNetwork:
        before = torch.get_rng_state()
        try:
            self._mold = _Mold.of(lambda: self._build(recipe), recipe)
        except _NoMoldError:
            self._refused = True
            torch.set_rng_state(before)
            return self._build(recipe)
        return self._mold.network

    def _compared(self, mold: _Mold, recipe: Recipe) -> FusionNetwork:
        before = torch.get_rng_state()
        copied, after = mold.copy(recipe), torch.get_rng_state()
        torch.set_rng_state(before)
        built = self._build(recipe)
        same = torch.equal(after, torch.get_rng_state()) and _probabilities(copied) == _probabilities(built)
        ours, theirs = copied.state_dict(), built.state_dict()
        if same and ours.keys() == theirs.keys() and all(torch.equal(values, theirs[name]) for name, values in ours.items()):
            self._agreed.add(recipe.dropout)
        else:
            self._refused = True
        return built


class _NoMoldError(Exception):
    """A network cannot be copied."""


@dataclass(frozen=True)
class _Draw:
    """An operation in place by which values of a tensor were set.

    Attributes:
        at: Which tensor; None for one that no module holds.
        view: Size, stride and offset of the part that was set.
        call: Sets such a part.
    """

    at: int | None
    view: tuple[tuple[int, ...], tuple[int, ...], int]
    call: Callable[[Tensor], object]


class _Mold:
    """A network that was built, and what makes others of it: what each module holds, and how the values of its tensors were drawn."""

    def __init__(self, network: FusionNetwork, recipe: Recipe, noted: list[tuple[Any, Any, Any]]) -> None:
        self.network, self._recipe = network, recipe
        self._anatomy = _Anatomy(network)
        tensors = self._anatomy.tensors
        # As they are now: the network is trained meanwhile.
        self._values = [tensor.detach().clone() for tensor in tensors]
        self._trained = [tensor.requires_grad if isinstance(tensor, nn.Parameter) else None for tensor in tensors]
        places = {tensor.untyped_storage()._cdata: at for at, tensor in enumerate(tensors)}
        if len(places) < len(tensors):
            raise _NoMoldError  # two tensors are parts of one memory
        self._draws = [
            _Draw(at, _view(target), _again(func, rest, kwargs))
            for func, (target, *rest), kwargs in noted
            # What was thrown away while building moved the random numbers on.
            if (at := places.get(target.untyped_storage()._cdata)) is not None or torch.Tag.nondeterministic_seeded in func.tags
        ]

    @classmethod
    def of(cls, build: Callable[[], FusionNetwork], recipe: Recipe) -> _Mold:
        """Build a network and note how."""
        noting = _Noting()
        with noting:
            network = build()
        return cls(network, recipe, noting.calls)

    @torch.no_grad()
    def copy(self, recipe: Recipe) -> FusionNetwork:
        """Return a network with a new start."""
        values = [each.clone() for each in self._values]
        for draw in self._draws:
            draw.call(torch.empty(draw.view[0]) if draw.at is None else values[draw.at].as_strided(*draw.view))
        trained = zip(values, self._trained, strict=True)
        network = self._anatomy.copy([new if grad is None else nn.Parameter(new, requires_grad=grad) for new, grad in trained])
        for layer in network.modules() if recipe.dropout != self._recipe.dropout else ():
            if isinstance(layer, Dropout) and layer.p == self._recipe.dropout:
                layer.p = recipe.dropout
        return network


#: Gives a value of a copy, from the modules and tensors of the copy.
_Maker = Callable[[list[nn.Module], list[Tensor]], Any]


class _Anatomy:
    """What the modules of a network hold: values that never change are shared by all copies, containers are made anew.

    Attributes:
        tensors: The tensors that the modules hold, each once.

    Raises:
        _NoMoldError: A module holds what may change and is neither module, tensor nor container.
    """

    def __init__(self, network: FusionNetwork) -> None:
        self.tensors = list[Tensor]()
        self._modules = list[nn.Module]()
        self._numbers = dict[int, int]()
        self._parts = list[tuple[type[nn.Module], dict[str, Any], list[tuple[str, _Maker]]]]()
        self._number_of(network)
        for module in self._modules:  # which grows meanwhile
            makers = {name: self._maker(value) for name, value in vars(module).items()}
            shared = {name: value for name, value in vars(module).items() if makers[name] is None}
            self._parts.append((type(module), shared, [(name, maker) for name, maker in makers.items() if maker is not None]))

    def copy(self, tensors: list[Tensor]) -> FusionNetwork:
        """Return a network of the same modules with other tensors."""
        modules = [kind.__new__(kind) for kind, _, _ in self._parts]
        for module, (_, shared, made) in zip(modules, self._parts, strict=True):
            held = vars(module)
            held.update(shared)
            for name, maker in made:
                held[name] = maker(modules, tensors)
        network: FusionNetwork = modules[0]  # type: ignore[assignment]  # the first one is the network
        return network

    def _number_of(self, part: nn.Module | Tensor) -> int:
        if id(part) not in self._numbers:
            known: list[Any] = self._modules if isinstance(part, nn.Module) else self.tensors
            self._numbers[id(part)] = len(known)
            known.append(part)
        return self._numbers[id(part)]

    def _maker(self, value: Any) -> _Maker | None:
        """Return what makes a value of a copy; None for one that is shared."""
        kind: Any = type(value)
        if isinstance(value, nn.Module):
            number = self._number_of(value)
            return lambda modules, _: modules[number]
        if isinstance(value, Tensor):
            number = self._number_of(value)
            return lambda _, tensors: tensors[number]
        if isinstance(value, dict):
            if not value:
                return lambda _, __: kind()
            items = [(key, self._maker(each) or _constant(each)) for key, each in value.items()]
            return lambda modules, tensors: kind([(key, maker(modules, tensors)) for key, maker in items])
        if isinstance(value, list | set) or kind in (tuple, torch.Size):
            makers = [self._maker(each) for each in value]
            if isinstance(value, tuple) and not any(makers):
                return None
            every = [maker or _constant(each) for maker, each in zip(makers, value, strict=True)]
            return lambda modules, tensors: kind([maker(modules, tensors) for maker in every])
        if is_dataclass(value) and not isinstance(value, type) and kind.__dataclass_params__.frozen:
            held = {each.name: getattr(value, each.name) for each in fields(value)}
            layers = {name: self._maker(each) or _constant(each) for name, each in held.items() if isinstance(each, nn.Module | Tensor)}
            return (lambda *of: replace(value, **{name: maker(*of) for name, maker in layers.items()})) if layers else None
        if not _is_fixed(value):
            raise _NoMoldError
        return None


def _constant(value: Any) -> _Maker:
    return lambda _, __: value


def _is_fixed(value: Any) -> bool:
    """Return whether nothing changes a value: a number, a word, a function that holds no layer."""
    if isinstance(value, FunctionType):
        return not any(isinstance(cell.cell_contents, nn.Module | Tensor) for cell in value.__closure__ or ())
    return value is None or isinstance(value, int | float | str | bytes | frozenset | type | torch.dtype | torch.device)


class _Noting(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """Notes what is done in place; its tensors are kept, so that their memory is not used again."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self.calls = list[tuple[Any, Any, Any]]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func._schema.is_mutable and args and isinstance(args[0], Tensor):
            self.calls.append((func, args, kwargs))
        return func(*args, **kwargs)


def _view(values: Tensor) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    return tuple(values.shape), tuple(values.stride()), int(values.storage_offset())


def _again(func: Any, rest: list[Any], kwargs: Any) -> Callable[[Tensor], object]:
    return lambda target: func(target, *rest, **kwargs)


def _probabilities(network: FusionNetwork) -> list[float]:
    return [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)]
