"""What a strategy is: rounds of candidates, each decided on by what the earlier rounds found."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from fusearch.contracts import Evaluator, KeepingEvaluator
from fusearch.errors import RunError
from fusearch.search_space import Candidate

if TYPE_CHECKING:
    import numpy as np

    from fusearch.search_space import SearchSpace

__all__ = ["Decision", "Result", "Rounds", "Strategy", "check_evaluator"]


@dataclass(frozen=True, eq=False)
class Result:
    """What became of a candidate.

    Attributes:
        candidate: The candidate.
        values: Every metric and cost; empty where it failed.
        arrays: What the evaluation kept, such as out-of-fold predictions.
        reason: Why there are no values, else None.
    """

    candidate: Candidate
    values: Mapping[str, float] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Decision:
    """What a strategy decided, and why.

    Attributes:
        chosen: Digest of the candidate that it ends with.
        record: Everything that the report tells, JSON-able.
        arrays: Larger things that the report draws.
    """

    chosen: str
    record: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)


#: Yields a round of candidates, is sent their results in the same order, and returns the decision.
Rounds = Generator[Sequence[Candidate], Sequence[Result], Decision]


class Strategy(Protocol):
    """Which candidates to evaluate, in rounds. The engine (study, folds, repeats, failures, resume) is the same for all.

    A run that is resumed replays the rounds: what the study holds is answered from it. So `rounds` must be deterministic.

    Example:
        >>> class BestOfTwo:
        ...     name = "best-of-two"
        ...
        ...     def describe(self):
        ...         return {}
        ...
        ...     def check(self, space, evaluator):
        ...         pass
        ...
        ...     def rounds(self, space):
        ...         first, second = yield [Candidate(graph) for graph in space.references()["best_unimodal"][:2]]
        ...         best = first if first.values["auroc"] > second.values["auroc"] else second
        ...         return Decision(best.candidate.digest, {"why": "the larger AUROC"})
    """

    @property
    def name(self) -> str:
        """Name in settings and reports."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """Return the settings, JSON-able; a run can be resumed only with the same."""
        ...

    def check(self, space: SearchSpace, evaluator: Evaluator) -> None:
        """Refuse a space or an evaluator that the strategy cannot work with, before anything is written."""
        ...

    def rounds(self, space: SearchSpace) -> Rounds:
        """Propose round after round, and decide."""
        ...


def check_evaluator(name: str, evaluator: Evaluator, *, metric: str, metrics_of: str) -> None:
    """Refuse an evaluator that keeps no weights, or does not compute `metric`.

    Args:
        name: Of the strategy.
        evaluator: The evaluator.
        metric: A metric that only suitable tasks have.
        metrics_of: Those tasks, in words.

    Raises:
        RunError: It does not fit.
    """
    if not isinstance(evaluator, KeepingEvaluator):
        raise RunError(f"strategy {name!r} goes on from trained weights, but evaluator {type(evaluator).__name__} has no `keeping(folder)`")
    if hasattr(evaluator, "objectives") and metric not in evaluator.objectives():
        raise RunError(f"strategy {name!r} needs {metrics_of}: the evaluator does not compute {metric!r}")
