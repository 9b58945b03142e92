"""A problem of a data set: how bad, what, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Problem", "worst_first"]

_SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a data set.

    Attributes:
        severity: `error`: the data set cannot be loaded, or nothing can be learned from it. `warning`: it can, but results may
            mislead. `info`: worth knowing.
        what: One line.
        where: The place: a key of the manifest (`modalities.rna`), or a column in it (`modalities.rna.age`).
    """

    severity: Literal["error", "warning", "info"]
    what: str
    where: str


def worst_first(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return errors, then warnings, then the rest, each in the order in which they were found."""
    return tuple(sorted(problems, key=lambda problem: _SEVERITIES.index(problem.severity)))
