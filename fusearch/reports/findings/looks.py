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
from fusearch.reports.wording import count, difference, role_label

__all__ = ["Confirmed", "Look", "look_sentence", "read_looks", "role_in_look"]


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


def look_sentence(look: Look) -> str:
    """Say how many samples a look saw, what it told of the search, and that only the first one counts."""
    gap = ""
    if look.optimism is not None:
        gap = f"; on average the designs looked {difference(look.optimism)} {'worse' if look.optimism < 0 else 'better'} on validation"
    again = "" if look.number == 1 else ", which no longer tells the truth where the first look changed the choice"
    return f"Look {look.number}{again}: {count(look.samples, 'sample')}{gap}."


def role_in_look(role: str) -> str:
    """Return what a design of a look is, in words."""
    return {"picked": "picked", "front": "on the front"}.get(role, role_label(role).removeprefix("the "))


def _look(look: Mapping[str, Any], objective: Objective) -> Look:
    name = objective.name
    designs = tuple(
        Confirmed(design["role"], design["trial"], design["digest"], design["search"].get(name), design["values"][name])
        for design in look["designs"]
        if name in design["values"]
    )
    gaps = {design.trial: objective.gain(design.search, design.test) for design in designs if design.search is not None}
    return Look(look["look"], look["samples"], designs, fmean(gaps.values()) if gaps else None)
