"""Strategies: what decides which design is evaluated next. `graph`, a sampler over the whole space, is the one without rounds."""

from __future__ import annotations

from collections.abc import Callable

from fusearch.registry import Registry
from fusearch.search.strategies.ensemble import LateEnsemble, ParetoEnsemble
from fusearch.search.strategies.forward_timing import ForwardTiming
from fusearch.search.strategies.strategy import Decision, Result, Rounds, Strategy

__all__ = [
    "STRATEGIES",
    "Decision",
    "ForwardTiming",
    "LateEnsemble",
    "ParetoEnsemble",
    "Result",
    "Rounds",
    "Strategy",
    "make_strategy",
]

#: Name -> strategy with its default settings; None where a sampler proposes.
STRATEGIES: Registry[Callable[[], Strategy | None]] = Registry("strategy", plural="strategies")


def _graph() -> None:
    """Search the whole space with a sampler."""


STRATEGIES.add("graph", _graph)
STRATEGIES.add(ParetoEnsemble.name, ParetoEnsemble)
STRATEGIES.add(LateEnsemble.name, LateEnsemble)
STRATEGIES.add(ForwardTiming.name, ForwardTiming)


def make_strategy(strategy: str | Strategy) -> Strategy | None:
    """Return a strategy by its name, with default settings; None for `graph`.

    Raises:
        UnknownNameError: There is none of that name.
    """
    return STRATEGIES[strategy]() if isinstance(strategy, str) else strategy
