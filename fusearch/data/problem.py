"""A problem of a data set: how bad, what, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Problem"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a data set.

    Attributes:
        severity: `error`: the data set cannot be loaded. `warning`: it can, but results may mislead. `info`: worth knowing.
        what: One line.
        where: The place: a key of the manifest (`modalities.rna`), or a column in it (`modalities.rna.age`).
    """

    severity: Literal["error", "warning", "info"]
    what: str
    where: str
