"""A parameter of an operator or an encoder: its default and what a search may pick."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from fusearch.errors import DesignError, suggestion

__all__ = ["Param", "Params", "Value", "combinations", "complete_params"]

Value = int | float | str | bool


@dataclass(frozen=True)
class Param:
    """One keyword parameter.

    Attributes:
        default: Value where a design leaves the parameter out.
        choices: Values that a search picks from. A design may state any value of the default's type (`heads=8`);
            for strings and booleans the choices are all that is legal.
        minimum: Smallest legal number.
        maximum: Largest legal number.
        stated: Whether only a design that states it has it: no search draws it, and at its default it is no part of a design, so that the
            digests of designs from before there was the parameter stay what they are (decision 0037).
    """

    default: Value
    choices: tuple[Value, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    stated: bool = False

    @property
    def offered(self) -> tuple[Value, ...]:
        """What a search picks from: the choices, or the default alone."""
        return (self.default,) if self.stated else self.choices or (self.default,)

    def check(self, value: Value, where: str) -> Value:
        """Return `value` in the type of the default.

        Raises:
            DesignError: The type does not fit, or the value is not legal.
        """
        default = self.default
        if isinstance(default, bool):
            if value in (0, 1, True, False):
                return bool(value)
        elif isinstance(default, str):
            if isinstance(value, str) and (not self.choices or value in self.choices):
                return value
            raise DesignError(f"{where} is {value!r}: {suggestion(str(value), [str(choice) for choice in self.choices])}")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if isinstance(default, int) and float(value) != int(value):
                raise DesignError(f"{where} is {value!r}, expected a whole number such as {default!r}")
            if self.minimum is not None and value < self.minimum:
                raise DesignError(f"{where} is {value!r}, expected at least {self.minimum:g}")
            if self.maximum is not None and value > self.maximum:
                raise DesignError(f"{where} is {value!r}, expected at most {self.maximum:g}")
            return int(value) if isinstance(default, int) else float(value)
        raise DesignError(f"{where} is {value!r}, expected a value such as {default!r}")


class Params(Mapping[str, Value]):
    """Parameter values by name: a mapping that never changes, so that it can be hashed."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return repr(self._values)

    def __reduce__(self) -> tuple[type[Params], tuple[dict[str, Value]]]:
        return Params, (self._values,)


def combinations(params: Mapping[str, Param], stated: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
    """Give the values of all parameters: the stated ones, with every combination of what a search picks from for the others."""
    searched = {name: param for name, param in params.items() if name in stated or not param.stated}
    for values in product(*((stated[name],) if name in stated else param.offered for name, param in searched.items())):
        yield dict(zip(searched, values, strict=True))


def complete_params(given: Mapping[str, Value], params: Mapping[str, Param], where: str) -> dict[str, Value]:
    """Fill in defaults and check the values, in the order in which `params` declares them; one that is `stated` only where it differs.

    Raises:
        DesignError: A parameter is not known, or its value is not legal.
    """
    for name in given:
        if name not in params:
            raise DesignError(f"{where}: unknown parameter {name!r}, {suggestion(name, params)}")
    complete = {name: param.check(given.get(name, param.default), f"{where}: parameter {name!r}") for name, param in params.items()}
    return {name: value for name, value in complete.items() if not params[name].stated or value != params[name].default}
