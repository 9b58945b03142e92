"""What the test split said: validation and test side by side, from the `confirm.json` that `fusearch confirm` writes into a run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from fusearch.contracts import Objective
from fusearch.errors import RunError
from fusearch.layout import CONFIRMATION

__all__ = ["Confirmed", "Look", "read_looks"]


@dataclass(frozen=True)
class Confirmed:
    """One design on the test split.

    Attributes:
        role: `picked`, the role of a reference, or `front`.
        trial: Its trial.
        digest: Its graph.
        search: The metric as the search saw it on validation rows, None where it did not.
        test: The metric on the test split.
    """

    role: str
    trial: int
    digest: str
    search: float | None
    test: float


@dataclass(frozen=True)
class Look:
    """One look at the test split.

    Attributes:
        number: 1 for the first, which is the one that counts.
        samples: Rows of the test split.
        designs: What was looked at.
        optimism: By how much the designs looked better on validation rows than on the test split, on average; None where not known.
    """

    number: int
    samples: int
    designs: tuple[Confirmed, ...]
    optimism: float | None


def read_looks(folder: Path, objective: Objective) -> tuple[Look, ...]:
    """Return the looks at the test split by one metric, the first look first; none where nothing was confirmed.

    Raises:
        RunError: The file is there but cannot be read.
    """
    path = folder / CONFIRMATION
    if not path.is_file():
        return ()
    try:
        looks = json.loads(path.read_text(encoding="utf-8"))["looks"]
        return tuple(_look(look, objective) for look in looks)
    except (OSError, ValueError, KeyError, TypeError):
        raise RunError(f"cannot read {str(path)!r}, which tells the looks at the test split") from None


def _look(look: Mapping[str, Any], objective: Objective) -> Look:
    name = objective.name
    designs = tuple(
        Confirmed(design["role"], design["trial"], design["digest"], design["search"].get(name), design["values"][name])
        for design in look["designs"]
        if name in design["values"]
    )
    gaps = {design.trial: objective.gain(design.search, design.test) for design in designs if design.search is not None}
    return Look(look["look"], look["samples"], designs, fmean(gaps.values()) if gaps else None)
