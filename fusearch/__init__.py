"""Neural architecture search over multimodal fusion design: when, which and how to fuse.

Public names are resolved on first use: importing fusearch loads neither torch nor ray.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

#: Public name -> module that defines it.
_HOMES: dict[str, str] = {
    "Budget": "fusearch.contracts",
    "Evaluation": "fusearch.contracts",
    "Evaluator": "fusearch.contracts",
    "Objective": "fusearch.contracts",
    "FusearchError": "fusearch.errors",
}

__all__ = ["Budget", "Evaluation", "Evaluator", "FusearchError", "Objective", "__version__"]

if TYPE_CHECKING:
    from fusearch.contracts import Budget, Evaluation, Evaluator, Objective
    from fusearch.errors import FusearchError


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fusearch' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
