"""Evolution by the grammar of the space: mutate and cross whole designs, keep the non-dominated."""

# ruff: noqa: ARG002 - the signatures are Optuna's

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState

from fusearch import pareto
from fusearch.contracts import Direction
from fusearch.errors import SpaceError
from fusearch.search_space import Candidate
from fusearch.study import read_trial

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["EvolutionSampler", "directions_of"]


class EvolutionSampler(BaseSampler):
    """A steady-state (mu + lambda) multi-objective evolution over `space.mutate` and `space.cross`.

    Parents come from the `population` best complete trials of the whole study, ordered by non-domination rank and, within a
    rank, by hypervolume contribution; each parent wins a tournament of two. A child is encoded into parameters and Optuna
    replays them, so it is stored like any other proposal. Optuna's own NSGA-II crosses only the parameters that all designs
    share; here a whole fusion can move from one design to another.

    Args:
        space: The search space.
        seed: Seed of all draws.
        startup: Trials that are complete, or were stopped by a race, before the first child; until then designs are drawn from the space
            at random.
        population: Number of parents (mu).
        crossover: Probability that a child has two parents.

    References:
        Beume, Naujoks & Emmerich 2007, SMS-EMOA: multiobjective selection based on dominated hypervolume.
    """

    #: Mutations tried until a child differs from every trial of the study.
    NOVELTY_TRIES = 10

    def __init__(self, space: SearchSpace, *, seed: int, startup: int = 10, population: int = 20, crossover: float = 0.5) -> None:
        self._space, self._startup, self._population, self._crossover = space, startup, population, crossover
        self._rng = np.random.default_rng(seed)
        self._random = RandomSampler(seed=seed)
        self._children: dict[int, dict[str, Any]] = {}
        self._candidates: dict[int, Candidate | None] = {}

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Choose the child that this trial will replay; a trial with parameters of its own (enqueued) has none."""
        if "fixed_params" in trial.system_attrs:
            return
        told = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        known = [other for other in told if self._decoded(other) is not None]
        complete = [other for other in known if other.state is TrialState.COMPLETE]
        if complete and len(known) >= self._startup:
            child = self._next(study, complete)
            self._children[trial.number] = {} if child is None else self._space.encode(child)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        return {}

    def sample_independent(self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution) -> Any:
        child = self._children.get(trial.number, {})
        if param_name in child:
            return child[param_name]
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        self._children.pop(trial.number, None)

    def _next(self, study: optuna.Study, complete: list[FrozenTrial]) -> Candidate | None:
        """Return the child to try next; None for a random draw.

        Args:
            study: The study.
            complete: Its complete trials whose parameters are of the space.
        """
        return self._child(self._parents(complete, directions_of(study)), self._seen(study))

    def _parents(self, complete: list[FrozenTrial], directions: list[Direction]) -> list[Candidate]:
        """Return the best trials' candidates, best first; of repeats only one."""
        unique = list({str(sorted(trial.params.items())): trial for trial in complete}.values())
        points = [trial.values for trial in unique]
        rank = pareto.ranks(points, directions)
        gain = pareto.contributions(points, directions, reference=pareto.reference_point(points, directions))
        order = np.lexsort((-gain, rank))[: self._population]
        return [parent for index in order if (parent := self._decoded(unique[index])) is not None]

    def _decoded(self, trial: FrozenTrial) -> Candidate | None:
        """Return the candidate of a trial; None where it cannot vary: without parameters, or with those of another space."""
        if trial.number not in self._candidates:
            try:
                found = self._space.decode(trial.params) if trial.params else None
            except SpaceError:
                found = None
            self._candidates[trial.number] = found if found is not None and self._space.contains(found) else None
        return self._candidates[trial.number]

    def _child(self, parents: list[Candidate], seen: set[str]) -> Candidate:
        """Return a child that no trial holds yet, where a few mutations find one."""
        child = self._tournament(parents)
        if self._rng.random() < self._crossover:
            child = self._space.cross(child, self._tournament(parents), self._rng)
        for _ in range(self.NOVELTY_TRIES):
            child = self._space.mutate(child, self._rng)
            if child.digest not in seen:
                break
        return child

    def _tournament(self, parents: list[Candidate]) -> Candidate:
        return parents[int(self._rng.integers(len(parents), size=2).min())]

    @staticmethod
    def _seen(study: optuna.Study) -> set[str]:
        return {read_trial(trial).candidate for trial in study.get_trials(deepcopy=False)} - {""}


def directions_of(study: optuna.Study) -> list[Direction]:
    """Return what is to become of each objective of a study."""
    return [direction.name.lower() for direction in study.directions]  # type: ignore[misc]  # the enum's names
