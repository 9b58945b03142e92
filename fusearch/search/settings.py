"""The settings of a search, checked, and the configuration that a run folder keeps of them."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from fusearch.contracts import Budget, CheapEvaluator, Evaluator, Objective
from fusearch.errors import EvaluationError, ObjectiveError, RunError, suggestion

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace
from fusearch.study import FORMAT, STUDY_NAME

__all__ = ["Settings", "check_objectives", "describe_evaluator", "describe_run"]


@dataclass(frozen=True)
class Settings:
    """How to search; see `run_search` for what each means.

    Raises:
        RunError: A value is out of range.
    """

    trials: int | None = 60
    time_limit: float | None = None
    sampler: str = "tpe"
    executor: str = "ray"
    workers: int | None = None
    cpus_per_trial: float = 1
    gpus_per_trial: float = 0
    address: str | None = None
    seed: int = 0
    reference_share: float = 0.3
    budget: Budget = field(default_factory=Budget)

    def __post_init__(self) -> None:
        for name, least in {"trials": 1, "workers": 1, "seed": 0}.items():
            value = getattr(self, name)
            if not (value is None and name != "seed") and not (isinstance(value, Integral) and int(value) >= least):
                raise RunError(f"{name} is {value!r}, expected a whole number of at least {least}")
        for name in ("time_limit", "cpus_per_trial", "gpus_per_trial", "reference_share"):
            value = getattr(self, name)
            if not (value is None and name == "time_limit") and not (isinstance(value, Real) and float(value) >= 0):
                raise RunError(f"{name} is {value!r}, expected a number of at least 0")
        if not self.cpus_per_trial:
            raise RunError(f"cpus_per_trial is {self.cpus_per_trial}, expected more than 0")
        if self.reference_share > 1:
            raise RunError(f"reference_share is {self.reference_share}, expected a share between 0 and 1")
        if self.trials is None and self.time_limit is None:
            raise RunError("neither trials nor time_limit is given: the search would never end")


def check_objectives(objectives: str | Objective | Sequence[str | Objective], evaluator: Evaluator) -> tuple[Objective, ...]:
    """Read the objectives and check them against what the evaluator offers.

    Raises:
        ObjectiveError: There is none, one stands twice, or the evaluator does not have it.
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
    return chosen


def describe_evaluator(evaluator: Evaluator) -> dict[str, Any]:
    """Return what the run's configuration says about the evaluator."""
    if isinstance(evaluator, CheapEvaluator):
        return dict(evaluator.describe())
    name = getattr(evaluator, "__qualname__", type(evaluator).__qualname__)
    return {"name": f"{getattr(evaluator, '__module__', type(evaluator).__module__)}.{name}"}


def describe_run(
    space: SearchSpace, evaluator: Evaluator, objectives: Sequence[Objective], settings: Settings, study: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the content of `config.yaml`: plain values only."""
    return {
        "format": FORMAT,
        "fusearch": _version("fusearch"),
        "objectives": [asdict(objective) for objective in objectives],
        "study": dict(study or {"storage": None, "name": STUDY_NAME}),
        "search": asdict(settings),
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
