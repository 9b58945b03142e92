"""A registry: name -> thing. Built-ins and plug-ins enter by the same call."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from fusearch.errors import FusearchError, UnknownNameError, suggestion

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """Hold the things of one kind under their names.

    A distribution adds its own through the entry-point group `fusearch.<kind>s` (`fusearch.operators`,
    `fusearch.encoders`, ...): each entry point is loaded once, on the first look-up, and registers on import.

    Args:
        kind: What the things are, in the singular; it stands in every message (`unknown operator 'catt'`).
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}
        self._entry_points_loaded = False

    def add(self, name: str, thing: T) -> T:
        """Register `thing` under `name` and return it.

        Raises:
            FusearchError: The name is taken by another thing.
        """
        if name in self._things and self._things[name] is not thing:
            raise FusearchError(f"{self.kind} {name!r} is registered already; choose another name")
        self._things[name] = thing
        return thing

    def remove(self, name: str) -> None:
        """Take `name` out again (tests and notebooks that define a thing twice).

        Raises:
            UnknownNameError: Nothing is registered under that name.
        """
        if self._things.pop(name, None) is None:
            raise UnknownNameError(f"unknown {self.kind} {name!r}: {suggestion(name, self._things)}")

    def __getitem__(self, name: str) -> T:
        if name not in self._things:
            self._load_entry_points()
        if name not in self._things:
            raise UnknownNameError(f"unknown {self.kind} {name!r}: {suggestion(name, sorted(self._things))}")
        return self._things[name]

    def __contains__(self, name: object) -> bool:
        if name not in self._things:
            self._load_entry_points()
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        self._load_entry_points()
        return iter(sorted(self._things))

    def __len__(self) -> int:
        self._load_entry_points()
        return len(self._things)

    def values(self) -> list[T]:
        """Return the things in the order of their names."""
        return [self._things[name] for name in self]

    def _load_entry_points(self) -> None:
        if self._entry_points_loaded:
            return
        self._entry_points_loaded = True
        for entry_point in entry_points(group=f"fusearch.{self.kind}s".replace(" ", "_")):
            entry_point.load()
