"""Samplers: which design next. Each is an Optuna sampler, so that all of them go through the same ask and tell."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from fusearch.contracts import Objective
from fusearch.registry import Registry
from fusearch.search.bounds import CheapBounds
from fusearch.search.cost_aware import CostAwareSampler
from fusearch.search.evolution import EvolutionSampler

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["SAMPLERS", "KnowsCosts", "SamplerBuilder", "sampler_builder"]


class SamplerBuilder(Protocol):
    """Gives an Optuna sampler for a space; one that learns draws at random until `startup` trials are complete, or stopped by a race."""

    def __call__(self, space: SearchSpace, seed: int, startup: int, /) -> BaseSampler: ...


@runtime_checkable
class KnowsCosts(Protocol):
    """A sampler that takes in what a study does not tell; a search tells it before the first proposal."""

    def know(self, objectives: Sequence[Objective], bounds: CheapBounds, /) -> None:
        """Take in what is optimized, and who knows what a design costs before it is trained."""
        ...


SAMPLERS: Registry[SamplerBuilder] = Registry("sampler")

B = TypeVar("B", bound=SamplerBuilder)


def sampler_builder(name: str) -> Callable[[B], B]:
    """Register a builder as the sampler `name`; the first line of its docstring is what `fusearch list samplers` shows.

    Raises:
        FusearchError: The name is taken by another sampler, when the decorator is applied.

    Example:
        >>> @sampler_builder("quasi_random")
        ... def build(space, seed, startup):
        ...     "Spreads its draws evenly."
        ...     return optuna.samplers.QMCSampler(seed=seed)
        >>> "quasi_random" in SAMPLERS
        True
        >>> SAMPLERS.remove("quasi_random")
    """

    def register(build: B) -> B:
        SAMPLERS.add(name, build)
        return build

    return register


@sampler_builder("tpe")
def tpe(_space: SearchSpace, seed: int, startup: int) -> BaseSampler:
    """The default: learns most from few trials; a proposal takes the longer the more trials there are.

    Multivariate and grouped, as the parameters of a design hang together and come and go with its shape; a constant liar
    keeps workers from proposing the same design at once.

    References:
        Watanabe 2023, Tree-structured Parzen estimator (arXiv 2304.11127).
    """
    with warnings.catch_warnings():
        # Optuna calls `multivariate` and `group` experimental; its version is pinned, and the choice is decision 0052.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(multivariate=True, group=True, constant_liar=True, n_startup_trials=startup, seed=seed)


@sampler_builder("random")
def random(_space: SearchSpace, seed: int, _startup: int) -> BaseSampler:
    """The yardstick: independent draws from the space; costs nothing at any size."""
    return RandomSampler(seed=seed)


@sampler_builder("nsga2")
def nsga2(_space: SearchSpace, seed: int, _startup: int) -> BaseSampler:
    """Optuna's NSGA-II, generations of 50: for a thousand trials and more; crosses only parameters that all designs share.

    References:
        Deb et al. 2002, A fast and elitist multiobjective genetic algorithm: NSGA-II.
    """
    return _NSGAII(seed=seed, population_size=50)


@sampler_builder("evolution")
def evolution(space: SearchSpace, seed: int, startup: int) -> BaseSampler:
    """Mutates and crosses whole designs by the grammar of the space: cheap at any size, good from about a hundred trials."""
    return EvolutionSampler(space, seed=seed, startup=startup)


@sampler_builder("cost_aware")
def cost_aware(space: SearchSpace, seed: int, startup: int) -> BaseSampler:
    """Learns the performance, knows the cost: tries what is expected to add most to the front."""
    return CostAwareSampler(space, seed=seed, startup=startup)


class _NSGAII(NSGAIISampler):
    """NSGA-II that looks past trials without parameters (reference designs outside the space).

    One such trial would empty the intersection of all trials' parameters, and with it the crossover.
    """

    def infer_relative_search_space(  # the signature is Optuna's
        self,
        study: optuna.Study,
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        shared: dict[str, BaseDistribution] | None = None
        for other in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
            if other.distributions:
                known = shared if shared is not None else other.distributions
                shared = {name: known[name] for name, kind in other.distributions.items() if known.get(name) == kind}
        return {name: kind for name, kind in sorted((shared or {}).items()) if not kind.single()}

    def select_parent(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        return [trial for trial in super().select_parent(study, generation) if trial.params]
