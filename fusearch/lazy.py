"""Names that are imported on first use, so that importing a package stays light."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["from_above", "lazy_names"]


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package.

    Args:
        package: Name of the package.
        homes: Public name -> module that defines it.

    Example:
        >>> resolve = lazy_names("fusearch", {"Objective": "fusearch.contracts"})
        >>> resolve("Objective").__name__
        'Objective'
    """

    def resolve(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(homes[name]), name)

    return resolve


def from_above(module: str, name: str) -> Any:
    """Return what a room above gives, for the methods by which a value shows itself, or hands itself on, in a notebook (decision 0105).

    Args:
        module: Module of fusearch, without the package's name.
        name: What it defines.

    Example:
        >>> from_above("contracts", "Objective").__name__
        'Objective'
    """
    return getattr(importlib.import_module(f"fusearch.{module}"), name)
