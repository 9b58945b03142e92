"""Who decides while the program of a space runs: Optuna, chance, a list of earlier decisions, or a design that is already known."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol

from fusearch.errors import SpaceError
from fusearch.search_space.entries.parameter import Value

if TYPE_CHECKING:
    import numpy as np

__all__ = ["AnswerChooser", "Chooser", "MutatingChooser", "RandomChooser", "ReplayChooser", "Trial", "TrialChooser"]


class Trial(Protocol):
    """The part of an Optuna trial that a space needs."""

    def suggest_categorical(self, name: str, choices: Sequence[Any], /) -> Any: ...

    def suggest_int(self, name: str, low: int, high: int, /) -> int: ...

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool = False) -> float: ...


class Chooser(ABC):
    """Decides, and keeps what it decided.

    A decision has a key, the same in every context (`f1.mrna`), and a name, under which the choices never change (`f1.mrna.mlp2`).
    Where there is only one choice nobody is asked.

    Attributes:
        params: Every decision so far, by name.
    """

    def __init__(self) -> None:
        self.params: dict[str, Value] = {}

    def pick(self, key: str, choices: Sequence[Value], name: str = "", *, weights: Sequence[float] | None = None) -> Any:
        """Return one of `choices`; where chance decides, by `weights`, else all alike."""
        if len(choices) == 1:
            return choices[0]
        name = name or key
        value = self._pick(key, name, choices, weights)
        self.params[name] = value
        return value

    def whole(self, key: str, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        if low == high:
            return low
        value = self._whole(key, low, high)
        self.params[key] = value
        return value

    def real(self, key: str, low: float, high: float) -> float:
        """Return a number from `low` to `high` on a logarithmic scale."""
        if low == high:
            return low
        value = self._real(key, low, high)
        self.params[key] = value
        return value

    @abstractmethod
    def _pick(self, key: str, name: str, choices: Sequence[Value], weights: Sequence[float] | None = None) -> Any: ...

    def _whole(self, key: str, low: int, high: int) -> int:
        return int(self._pick(key, key, range(low, high + 1)))

    @abstractmethod
    def _real(self, key: str, low: float, high: float) -> float: ...


class TrialChooser(Chooser):
    """Asks an Optuna trial."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self._trial = trial

    def _pick(self, _key: str, name: str, choices: Sequence[Value], _weights: Sequence[float] | None = None) -> Any:
        return self._trial.suggest_categorical(name, list(choices))

    def _whole(self, key: str, low: int, high: int) -> int:
        return self._trial.suggest_int(key, low, high)

    def _real(self, key: str, low: float, high: float) -> float:
        return self._trial.suggest_float(key, low, high, log=True)


class RandomChooser(Chooser):
    """Draws by the weights of the choices, uniformly where they have none."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self._rng = rng

    def _pick(self, _key: str, _name: str, choices: Sequence[Value], weights: Sequence[float] | None = None) -> Any:
        bounds = list(accumulate([1.0] * len(choices) if weights is None else weights))
        return choices[min(bisect_right(bounds, float(self._rng.random()) * bounds[-1]), len(choices) - 1)]

    def _real(self, _key: str, low: float, high: float) -> float:
        drawn = low * math.exp(float(self._rng.random()) * math.log(high / low))
        return min(max(drawn, low), high)


class ReplayChooser(Chooser):
    """Repeats decisions by name.

    Raises:
        SpaceError: A decision is missing, or is none of the choices.
    """

    def __init__(self, params: Mapping[str, Value]) -> None:
        super().__init__()
        self._given = params

    def _pick(self, _key: str, name: str, choices: Sequence[Value], _weights: Sequence[float] | None = None) -> Any:
        if name not in self._given:
            raise SpaceError(f"parameter {name!r} is missing: expected one of {list(choices)}")
        return _one_of(self._given[name], choices, f"parameter {name!r}")

    def _real(self, key: str, low: float, high: float) -> float:
        if key not in self._given:
            raise SpaceError(f"parameter {key!r} is missing: expected a number from {low:g} to {high:g}")
        return _within(self._given[key], low, high, f"parameter {key!r}")


class AnswerChooser(Chooser):
    """Answers from a design that is already known: by key, whatever the context.

    Raises:
        SpaceError: The design asks for something that the space does not offer.
    """

    def __init__(self, answers: Mapping[str, Value]) -> None:
        super().__init__()
        self._answers = answers

    def pick(self, key: str, choices: Sequence[Value], name: str = "", *, weights: Sequence[float] | None = None) -> Any:
        """Return the known answer; also where there is no choice, so that another wish is noticed."""
        if len(choices) == 1 and key in self._answers:
            return _one_of(self._answers[key], choices, key)
        return super().pick(key, choices, name, weights=weights)

    def _pick(self, key: str, _name: str, choices: Sequence[Value], _weights: Sequence[float] | None = None) -> Any:
        if key not in self._answers:
            raise SpaceError(f"the design does not say {key!r}: this space offers {list(choices)}")
        return _one_of(self._answers[key], choices, key)

    def _real(self, key: str, low: float, high: float) -> float:
        return _within(self._answers[key], low, high, key)


class MutatingChooser(RandomChooser):
    """Repeats decisions, but for some that it draws anew, and for those that came up for the first time.

    Args:
        rng: Source of chance.
        params: Decisions to repeat where the program comes by them.
        renewed: Names of decisions to take differently.
    """

    def __init__(self, rng: np.random.Generator, params: Mapping[str, Value], renewed: Collection[str] = ()) -> None:
        super().__init__(rng)
        self._given, self._renewed = params, renewed

    def _pick(self, key: str, name: str, choices: Sequence[Value], weights: Sequence[float] | None = None) -> Any:
        if name not in self._given or self._given[name] not in choices:
            return super()._pick(key, name, choices, weights)
        if name not in self._renewed:
            return self._given[name]
        return super()._pick(key, name, [choice for choice in choices if choice != self._given[name]])

    def _real(self, key: str, low: float, high: float) -> float:
        if key in self._given and key not in self._renewed and low <= float(self._given[key]) <= high:
            return float(self._given[key])
        return super()._real(key, low, high)


def _one_of(value: Value, choices: Sequence[Value], what: str) -> Any:
    for choice in choices:
        if choice == value and isinstance(choice, bool) == isinstance(value, bool):
            return choice
    raise SpaceError(f"{what} is {value!r}: this space offers {list(choices)}")


def _within(value: Value, low: float, high: float, what: str) -> float:
    if isinstance(value, str) or not low <= value <= high:
        raise SpaceError(f"{what} is {value!r}: this space offers {low:g} to {high:g}")
    return float(value)
