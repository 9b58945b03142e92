"""Samplers: all go through Optuna's ask and tell, and learn in spaces whose parameters come and go."""

import numpy as np
import optuna
import pytest

from fusearch.errors import UnknownNameError
from fusearch.search.sampler import SAMPLERS, sampler_builder
from fusearch.testing import SamplerSuite

optuna.logging.set_verbosity(optuna.logging.WARNING)


def study_of(sampler):
    return optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)


def values(candidate):
    """Wide sums are best, and narrow is cheap."""
    name = candidate.graph.fusions[0].operator if candidate.graph.fusions else ""
    return [{"sum": 2.0, "product": 1.0}.get(name, 0.0) + candidate.recipe.width / 100, float(candidate.recipe.width)]


def search(space, sampler, trials):
    study = study_of(sampler)
    proposed = []
    for _ in range(trials):
        trial = study.ask()
        candidate = space.suggest(trial)
        study.tell(trial, values(candidate))
        proposed.append(candidate)
    return proposed


def test_names():
    assert list(SAMPLERS) == ["cost_aware", "evolution", "nsga2", "random", "tpe"]
    with pytest.raises(UnknownNameError, match="unknown sampler 'nsga3': did you mean 'nsga2'"):
        SAMPLERS["nsga3"]


class TestTPE(SamplerSuite):
    name = "tpe"


class TestRandom(SamplerSuite):
    name = "random"


class TestNSGA2(SamplerSuite):
    name = "nsga2"


class TestEvolution(SamplerSuite):
    name = "evolution"


class TestCostAware(SamplerSuite):
    name = "cost_aware"
    shared = 25  # it has no populations, and each proposal fits a forest
    startup = 14


@pytest.mark.parametrize("name", ["tpe", "evolution"])
def test_samplers_that_learn_find_more_of_the_best_than_random_draws(space, name):
    def found(which):
        proposed = [search(space, SAMPLERS[which](space, seed, 10), 60)[20:] for seed in range(3)]
        return np.mean([values(candidate)[0] >= 2 for each in proposed for candidate in each])

    assert found(name) > 1.5 * found("random")


def test_nsga2_still_crosses_what_all_designs_share(space):
    sampler = SAMPLERS["nsga2"](space, 0, 5)
    study = study_of(sampler)
    study.enqueue_trial({})
    study.tell(study.ask(), [0.5, 10.0])
    for _ in range(5):
        trial = study.ask()
        study.tell(trial, values(space.suggest(trial)))
    assert set(sampler.infer_relative_search_space(study, study.trials[-1])) == {"num_fusions", "recipe.width"}


def test_a_sampler_that_asks_is_told_what_is_optimized_and_what_designs_cost(search, space):
    told = []

    class Asking(optuna.samplers.RandomSampler):
        def know(self, objectives, bounds):
            told.append(([each.name for each in objectives], bounds.costs(space.sample(np.random.default_rng(0)))))

    class Costed:
        def __call__(self, candidate, budget, report):
            return {"score": 0.5, **self.cheap(candidate)}

        def cheap(self, candidate):
            return {"macs": 7.0}

    try:
        sampler_builder("asking")(lambda space, seed, startup: Asking(seed=seed))
        search(Costed(), sampler="asking", trials=2)
    finally:
        SAMPLERS.remove("asking")
    assert told == [(["score", "macs"], {"macs": 7.0})]
