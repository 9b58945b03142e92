"""Bounds on what a design costs: known before training, so a design that breaks one is never trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fusearch.contracts import Evaluator, Objective
from fusearch.search_space import Candidate
from fusearch.settings import Settings

__all__ = ["CheapBounds"]


class CheapBounds:
    """Which candidates keep the bounds on the cheap objectives, and those that the settings set every design; each is costed once.

    Args:
        evaluator: Where it offers `cheap(candidate)`, that is asked; else every candidate is allowed.
        objectives: Those that are cheap and have a bound count.
        settings: Its most parameters and most memory count.
    """

    def __init__(self, evaluator: Evaluator, objectives: Sequence[Objective], settings: Settings) -> None:
        self._evaluator, self._settings = evaluator, settings
        self._bounded = [objective for objective in objectives if objective.cheap and objective.bound is not None]
        self._known: dict[str, str | None] = {}
        self._costs: dict[str, Mapping[str, float]] = {}

    def costs(self, candidate: Candidate) -> Mapping[str, float]:
        """Return what is known of a candidate that was asked for before; empty where that is nothing."""
        return self._costs.get(candidate.digest, {})

    def broken(self, candidate: Candidate) -> str | None:
        """Return which bound a candidate breaks, in words, or None."""
        if not hasattr(self._evaluator, "cheap"):
            return None
        if candidate.digest not in self._known:
            self._known[candidate.digest] = self._ask(candidate)
        return self._known[candidate.digest]

    def allows(self, candidate: Candidate) -> bool:
        """Whether a candidate keeps all bounds."""
        return self.broken(candidate) is None

    def _ask(self, candidate: Candidate) -> str | None:
        try:
            values = self._evaluator.cheap(candidate)  # type: ignore[attr-defined]  # asked for in `broken`
        except Exception:  # the evaluation will raise it again, and there it is recorded with its reason
            return None
        self._costs[candidate.digest] = values
        for objective in self._bounded:
            if objective.name in values and not objective.allows(values[objective.name]):
                return f"{objective.name} is {values[objective.name]:g}, bound {objective.sign} {objective.bound:g}"
        return self._settings.refusal(values)
