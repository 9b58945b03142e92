"""A Python file outside the package, run as a module."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

__all__ = ["import_file"]


def import_file(path: Path, name: str) -> ModuleType:
    """Run a Python file as a module, and leave no bytecode: its folder is somebody's export.

    Args:
        path: The file.
        name: Name of the module; it is known to `sys.modules` only while the file runs, which is when dataclasses look for it.

    Raises:
        ImportError: It is no Python file.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
        del sys.modules[name]
    return module
