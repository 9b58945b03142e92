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
        self._known: dict[str, Mapping[str, float]] = {}

    def costs(self, candidate: Candidate) -> Mapping[str, float]:
        """Return what a candidate costs by name; empty where the evaluator does not tell before training."""
        if not hasattr(self._evaluator, "cheap"):
            return {}
        if candidate.digest not in self._known:
            try:
                self._known[candidate.digest] = self._evaluator.cheap(candidate)
            except Exception:  # the evaluation will raise it again, and there it is recorded with its reason
                self._known[candidate.digest] = {}
        return self._known[candidate.digest]

    def broken(self, candidate: Candidate) -> str | None:
        """Return which bound a candidate breaks, in words, or None."""
        values = self.costs(candidate)
        for objective in self._bounded:
            if objective.name in values and not objective.allows(values[objective.name]):
                return f"{objective.name} is {values[objective.name]:g}, bound {objective.sign} {objective.bound:g}"
        return self._settings.refusal(values)

    def allows(self, candidate: Candidate) -> bool:
        """Whether a candidate keeps all bounds."""
        return self.broken(candidate) is None
