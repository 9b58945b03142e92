"""Public names of a package that are imported on first use, so that importing the package stays light."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["lazy_names"]


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
