"""Samplers: all go through Optuna's ask and tell, and learn in spaces whose parameters come and go."""

import numpy as np
import optuna
import pytest

from fusearch.errors import UnknownNameError
from fusearch.search.sampler import SAMPLERS

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
    assert list(SAMPLERS) == ["evolution", "nsga2", "random", "tpe"]
    with pytest.raises(UnknownNameError, match="unknown sampler 'nsga3': did you mean 'nsga2'"):
        SAMPLERS["nsga3"]


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_each_is_described_in_a_sentence(name):
    assert SAMPLERS[name].__doc__.splitlines()[0].endswith(".")


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_the_same_seed_gives_the_same_designs_and_another_seed_others(space, name):
    one, same, other = (search(space, SAMPLERS[name](space, seed, 5), 20) for seed in (1, 1, 2))
    assert one == same
    assert one != other


@pytest.mark.parametrize("name", ["tpe", "evolution"])
def test_samplers_that_learn_find_more_of_the_best_than_random_draws(space, name):
    def found(which):
        proposed = [search(space, SAMPLERS[which](space, seed, 10), 60)[20:] for seed in range(3)]
        return np.mean([values(candidate)[0] >= 2 for each in proposed for candidate in each])

    assert found(name) > 1.5 * found("random")


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_trials_without_parameters_do_not_spoil_a_sampler(space, name):
    study = study_of(SAMPLERS[name](space, 0, 5))
    for index in range(70):
        if index % 4 == 0:
            study.enqueue_trial({})
            study.tell(study.ask(), [0.5, 10.0])
        else:
            trial = study.ask()
            study.tell(trial, values(space.suggest(trial)))
    assert len(study.trials) == 70


def test_nsga2_still_crosses_what_all_designs_share(space):
    sampler = SAMPLERS["nsga2"](space, 0, 5)
    study = study_of(sampler)
    study.enqueue_trial({})
    study.tell(study.ask(), [0.5, 10.0])
    for _ in range(5):
        trial = study.ask()
        study.tell(trial, values(space.suggest(trial)))
    assert set(sampler.infer_relative_search_space(study, study.trials[-1])) == {"num_fusions", "recipe.width"}
