"""A registry: name -> thing. Built-ins and plug-ins enter by the same call."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

from fusearch.errors import FusearchError, UnknownNameError, suggestion

__all__ = ["PLUGINS", "PLUGIN_PREFIX", "PluginFile", "Registry", "load_file", "loaded_plugins"]

#: Environment variable that names plug-in files; worker processes inherit it.
PLUGINS = "FUSEARCH_PLUGINS"

#: Start of the module names of plug-in files.
PLUGIN_PREFIX = "fusearch_plugin_"

T = TypeVar("T")


class Registry(Generic[T]):
    """Hold the things of one kind under their names.

    A distribution adds its own through the entry-point group `fusearch.<plural>` (`fusearch.operators`, `fusearch.encoders`, ...),
    a user through files named in the environment variable `FUSEARCH_PLUGINS` (separated like a path). Both are loaded once, on the
    first look-up of a name that is not there, and register on import.

    Args:
        kind: What the things are, in the singular; it stands in every message (`unknown operator 'catt'`).
        plural: Its plural, which names the entry-point group; left out, with an `s`.
    """

    def __init__(self, kind: str, *, plural: str | None = None) -> None:
        self.kind = kind
        self.group = f"fusearch.{plural or f'{kind}s'}".replace(" ", "_")
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
        for entry_point in entry_points(group=self.group):
            try:
                entry_point.load()
            except Exception as error:
                what = f"{entry_point.name} = {entry_point.value}"
                raise FusearchError(f"plug-in {what!r} ({self.group}): {type(error).__name__}: {error}") from error
        for path in filter(None, os.environ.get(PLUGINS, "").split(os.pathsep)):
            load_file(path)


@dataclass(frozen=True)
class PluginFile:
    """A plug-in file with what stands in it, so that it can be loaded where the file is not.

    Attributes:
        path: Where it was read.
        source: Its text.
    """

    path: str
    source: str

    @property
    def module(self) -> str:
        """Name of the module that it becomes."""
        return f"{PLUGIN_PREFIX}{Path(self.path).stem}"

    def load(self) -> None:
        """Import it once; what it registers is there from then on.

        Raises:
            FusearchError: It cannot be imported, or another plug-in has a file of the same name.
        """
        known = sys.modules.get(self.module)
        if known is not None:
            if known.__dict__["__plugin__"].source != self.source:
                other = known.__dict__["__plugin__"].path
                raise FusearchError(f"plug-in {self.path!r} ({PLUGINS}): {other!r} has the same name, expected another one")
            return
        module = ModuleType(self.module)
        module.__dict__.update(__file__=self.path, __plugin__=self)
        sys.modules[self.module] = module
        try:
            exec(compile(self.source, self.path, "exec"), module.__dict__)  # noqa: S102  # a plug-in is code, and it runs as any import does
        except (Exception, SystemExit) as error:  # a script may end itself, which must not end the command
            del sys.modules[self.module]
            what = " ".join(str(error).split())
            raise FusearchError(f"plug-in {self.path!r} cannot be imported: {type(error).__name__}: {what}") from error


def load_file(path: str) -> None:
    """Import a plug-in file once.

    Raises:
        FusearchError: There is no such file, or it cannot be imported.
    """
    location = Path(path).resolve()
    if location.suffix != ".py" or not location.is_file():
        raise FusearchError(f"plug-in {path!r} ({PLUGINS}): expected a Python file")
    PluginFile(str(location), location.read_text(encoding="utf-8")).load()


def loaded_plugins() -> tuple[PluginFile, ...]:
    """Return the plug-in files that this process has imported."""
    return tuple(module.__dict__["__plugin__"] for name, module in list(sys.modules.items()) if name.startswith(PLUGIN_PREFIX))
