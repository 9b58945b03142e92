"""The configuration that a run folder keeps of a search, and the objectives checked before there is one."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from fusearch.contracts import CheapEvaluator, Evaluator, Objective
from fusearch.errors import EvaluationError, ObjectiveError, suggestion
from fusearch.settings import Settings
from fusearch.study import FORMAT, STUDY_NAME

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["check_objectives", "describe_evaluator", "describe_run"]


def check_objectives(objectives: str | Objective | Sequence[str | Objective], evaluator: Evaluator) -> tuple[Objective, ...]:
    """Read the objectives and check them against what the evaluator offers.

    Raises:
        ObjectiveError: There is none, one stands twice, or the evaluator does not have it, or can define it in no fold.
        EvaluationError: The evaluator cannot be called.
    """
    if not callable(evaluator):
        raise EvaluationError(f"the evaluator is {evaluator!r}, expected a function of (candidate, budget, report)")
    objectives = [objectives] if isinstance(objectives, str | Objective) else objectives
    chosen = tuple(entry if isinstance(entry, Objective) else Objective.parse(entry) for entry in objectives)
    if not chosen:
        raise ObjectiveError("no objective is given, expected at least one such as 'auroc'")
    names = [objective.name for objective in chosen]
    for name in names:
        if names.count(name) > 1:
            raise ObjectiveError(f"objective {name!r} stands twice")
    offered = evaluator.objectives() if hasattr(evaluator, "objectives") else None
    for name in names:
        if offered is not None and name not in offered:
            raise ObjectiveError(f"objective {name!r} is not among what the evaluator computes: {suggestion(name, sorted(offered))}")
        undefined = evaluator.undefined(name) if hasattr(evaluator, "undefined") else None
        if undefined is not None:
            raise ObjectiveError(undefined)
    return chosen


def describe_evaluator(evaluator: Evaluator) -> dict[str, Any]:
    """Return what the run's configuration says about the evaluator."""
    if isinstance(evaluator, CheapEvaluator):
        return dict(evaluator.describe())
    name = getattr(evaluator, "__qualname__", type(evaluator).__qualname__)
    return {"name": f"{getattr(evaluator, '__module__', type(evaluator).__module__)}.{name}"}


def describe_run(
    space: SearchSpace,
    evaluator: Evaluator,
    objectives: Sequence[Objective],
    settings: Settings,
    *,
    strategy: Mapping[str, Any] | None = None,
    study_name: str = STUDY_NAME,
    command: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return the content of `config.yaml`: plain values only.

    Args:
        space: What is searched.
        evaluator: How good a design is.
        objectives: What is optimized.
        settings: How.
        strategy: What decides, described; None for the graph search.
        study_name: Name of the Optuna study.
        command: Words of the command line that made the run, or None where it was made in Python.
    """
    return {
        "format": FORMAT,
        "fusearch": _version("fusearch"),
        "command": None if command is None else list(command),
        "objectives": [asdict(objective) for objective in objectives],
        "study": {"storage": settings.storage, "name": study_name},
        "search": settings.to_dict(),
        "strategy": dict(strategy or {"name": "graph"}),
        "evaluator": describe_evaluator(evaluator),
        "space": {"fingerprint": space.fingerprint, **space.to_dict()},
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in ("torch", "ray", "optuna", "numpy", "scikit-learn", "moocore")},
        },
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
