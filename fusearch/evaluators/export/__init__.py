"""What leaves the house: a design trained once more, as a folder that predicts without fusearch; and the look at the test split.

Public names are resolved on first use; `predict` is the script of a bundle and imports nothing of fusearch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

#: Public name -> module that defines it.
_HOMES: dict[str, str] = {
    "DeployedModel": "fusearch.evaluators.export.deployed",
    "confirm": "fusearch.evaluators.export.confirmation",
    "export": "fusearch.evaluators.export.bundle",
    "refit": "fusearch.evaluators.export.refit",
}

__all__ = ["DeployedModel", "confirm", "export", "refit"]

if TYPE_CHECKING:
    from fusearch.evaluators.export.bundle import export
    from fusearch.evaluators.export.confirmation import confirm
    from fusearch.evaluators.export.deployed import DeployedModel
    from fusearch.evaluators.export.refit import refit


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fusearch.evaluators.export' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
