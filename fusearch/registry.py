"""A registry: name -> thing. Built-ins and plug-ins enter by the same call."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Generic, TypeVar

from fusearch.errors import FusearchError, UnknownNameError, suggestion

__all__ = ["PLUGINS", "Registry"]

#: Environment variable that names plug-in files; worker processes inherit it.
PLUGINS = "FUSEARCH_PLUGINS"

T = TypeVar("T")


class Registry(Generic[T]):
    """Hold the things of one kind under their names.

    A distribution adds its own through the entry-point group `fusearch.<kind>s` (`fusearch.operators`, `fusearch.encoders`, ...),
    a user through files named in the environment variable `FUSEARCH_PLUGINS` (separated like a path). Both are loaded once, on the
    first look-up of a name that is not there, and register on import.

    Args:
        kind: What the things are, in the singular; it stands in every message (`unknown operator 'catt'`).
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}
        self._plugins_loaded = False

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
        if name not in self:
            raise UnknownNameError(f"unknown {self.kind} {name!r}: {suggestion(name, sorted(self._things))}")
        return self._things[name]

    def __contains__(self, name: object) -> bool:
        if name not in self._things:
            self._load_plugins()
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        self._load_plugins()
        return iter(sorted(self._things))

    def __len__(self) -> int:
        self._load_plugins()
        return len(self._things)

    def values(self) -> list[T]:
        """Return the things in the order of their names."""
        return [self._things[name] for name in self]

    def _load_plugins(self) -> None:
        if self._plugins_loaded:
            return
        self._plugins_loaded = True
        for entry_point in entry_points(group=f"fusearch.{self.kind}s".replace(" ", "_")):
            entry_point.load()
        for path in filter(None, os.environ.get(PLUGINS, "").split(os.pathsep)):
            load_file(path)


def load_file(path: str) -> None:
    """Import a plug-in file once; what it registers is there from then on.

    Raises:
        FusearchError: There is no such file, or it cannot be imported.
    """
    location = Path(path).resolve()
    name = f"fusearch_plugin_{location.stem}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, location)
    if spec is None or spec.loader is None or not location.is_file():
        raise FusearchError(f"plug-in {path!r} ({PLUGINS}): expected a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise FusearchError(f"plug-in {path!r} cannot be imported: {type(error).__name__}: {error}") from error
