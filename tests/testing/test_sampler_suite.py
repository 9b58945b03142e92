"""The suite passes a sampler that keeps the contract, and finds each way to break it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import optuna
import pytest
from optuna.samplers import RandomSampler

from fusearch.search import SAMPLERS, sampler_builder
from fusearch.testing import SamplerSuite

LAWS = [name for name in dir(SamplerSuite) if name.startswith("test_")]


def build(space: Any, seed: int, startup: int) -> RandomSampler:
    """Draws evenly."""
    return RandomSampler(seed=seed)


class PlainSuite(SamplerSuite):
    name = "plain"


@pytest.fixture
def register() -> Iterator[Callable[[Any], None]]:
    def add(builder: Any) -> None:
        sampler_builder("plain")(builder)

    yield add
    SAMPLERS.remove("plain")


@pytest.mark.parametrize("law", LAWS)
def test_a_sampler_that_keeps_the_contract_passes(register: Callable[[Any], None], law: str) -> None:
    register(build)
    getattr(PlainSuite(), law)()


class LearnsFromOneObjective(RandomSampler):
    """Written for single-objective studies, as many an Optuna sampler is."""

    def before_trial(self, study: optuna.Study, trial: Any) -> None:
        if study.get_trials(states=(optuna.trial.TrialState.COMPLETE,)):
            _ = study.best_value


class NeedsParameters(RandomSampler):
    def before_trial(self, study: optuna.Study, trial: Any) -> None:
        _ = [max(other.params) for other in study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))]


class NeedsValues(RandomSampler):
    def before_trial(self, study: optuna.Study, trial: Any) -> None:
        _ = [other.values[0] for other in study.get_trials() if other.number < trial.number]


class StartsAnew(RandomSampler):
    """Counts on having seen every trial itself."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.seen: set[int] = set()

    def before_trial(self, study: optuna.Study, trial: Any) -> None:
        missed = {other.number for other in study.get_trials() if other.number < trial.number} - self.seen
        if missed:
            raise KeyError(missed)
        self.seen.add(trial.number)


seeds = itertools.count()


def unseeded(space: Any, seed: int, startup: int) -> RandomSampler:
    return RandomSampler(seed=next(seeds))


def constant(space: Any, seed: int, startup: int) -> RandomSampler:
    return RandomSampler(seed=0)


def nameless(kind: Callable[[int], Any]) -> Any:
    return lambda _space, seed, _startup: kind(seed)


@pytest.mark.parametrize(
    ("builder", "law"),
    [
        (nameless(RandomSampler), "test_it_is_described_in_a_sentence"),
        (unseeded, "test_the_seed_decides"),
        (constant, "test_the_seed_decides"),
        (nameless(LearnsFromOneObjective), "test_any_number_of_objectives"),
        (nameless(LearnsFromOneObjective), "test_a_search_runs"),
        (nameless(NeedsParameters), "test_trials_without_parameters_do_not_spoil_it"),
        (nameless(NeedsValues), "test_failures_are_survived"),
        (nameless(StartsAnew), "test_a_search_goes_on"),
    ],
)
def test_each_breach_is_found(register: Callable[[Any], None], builder: Any, law: str) -> None:
    register(builder)
    with pytest.raises(Exception, match=r".") as found:
        getattr(PlainSuite(), law)()
    assert not isinstance(found.value, AttributeError | NameError)
