"""How many trials fit side by side into what Ray offers: nodes may come and go (decision 0067)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fusearch.errors import RunError

__all__ = ["Slots", "fit"]


class Slots:
    """The number of trials that fit into the nodes that live now.

    Ray is asked every `LOOK_SECONDS` at most, however often the number is read: the driver reads it at each step.

    Args:
        needed: What a trial needs, by Ray's names.
        nodes: Tells the nodes, as `ray.nodes` does.
    """

    LOOK_SECONDS = 3.0

    def __init__(self, needed: Mapping[str, float], nodes: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        self._needed, self._nodes = needed, nodes
        self._number, self._until = 0, -math.inf

    def number(self) -> int:
        """Return how many fit, as it was `LOOK_SECONDS` ago at most."""
        now = time.monotonic()
        if now >= self._until:
            self._number, self._until = fit(self._nodes(), self._needed), now + self.LOOK_SECONDS
        return self._number

    def may_be_lost(self) -> bool:
        """Whether a node may be lost while the search goes on: where there was one alone, the search ends with it."""
        return len(self._nodes()) > 1

    def look_again(self) -> None:
        """Ask Ray when the number is read next: something was lost."""
        self._until = -math.inf

    def check(self) -> None:
        """Refuse to begin where not one trial fits.

        Raises:
            RunError: So it is.
        """
        if self.number():
            return
        living = [node["Resources"] for node in self._nodes() if node["Alive"]]
        for name, needed in self._needed.items():
            offered = sum(resources.get(name, 0.0) for resources in living)
            if needed > offered:
                raise RunError(f"a trial needs {needed:g} {name}, Ray offers {offered:g}: lower {name.lower()}s_per_trial")
        together = " and ".join(f"{needed:g} {name}" for name, needed in self._needed.items() if needed)
        raise RunError(f"a trial needs {together}, and no node of Ray has that")


def fit(nodes: Sequence[Mapping[str, Any]], needed: Mapping[str, float]) -> int:
    """Return how many trials fit into the living nodes: each lies on one node, and a part of a GPU on one GPU.

    Args:
        nodes: As `ray.nodes` tells them.
        needed: What a trial needs, by Ray's names.
    """
    return sum(_fit_node(node["Resources"], needed) for node in nodes if node["Alive"])


def _fit_node(offered: Mapping[str, float], needed: Mapping[str, float]) -> int:
    most = [
        _times(1.0, share) * int(offered.get(name, 0.0)) if name == "GPU" and share < 1 else _times(offered.get(name, 0.0), share)
        for name, share in needed.items()
        if share
    ]
    return min(most, default=0)


def _times(whole: float, part: float) -> int:
    """Return how often a part fits; ten times 0.1 is one, whatever binary fractions say."""
    return math.floor(whole / part + 1e-9)
