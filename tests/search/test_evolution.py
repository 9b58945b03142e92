"""Evolution: children come from good parents, are new, and are replayed through Optuna."""

import numpy as np
import optuna
import pytest

from fusearch.data.modality import Modality
from fusearch.search.cost_aware import CostAwareSampler
from fusearch.search.evolution import EvolutionSampler
from fusearch.search_space import SearchSpace
from fusearch.study import TrialFacts, read_trial, write_trial

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Family:
    """A space whose mutations and crossings are written down."""

    def __init__(self, space):
        self._space, self.parents = space, []

    def __getattr__(self, name):
        return getattr(self._space, name)

    def mutate(self, candidate, rng):
        self.parents.append(candidate)
        return self._space.mutate(candidate, rng)


def fill(study, space, number):
    for _ in range(number):
        trial = study.ask()
        candidate = space.suggest(trial)
        write_trial(trial, TrialFacts(candidate=candidate.digest))
        study.tell(trial, [float(candidate.recipe.width), float(len(candidate.graph.fusions))])


@pytest.fixture
def family(space):
    return Family(space)


@pytest.fixture
def study(family):
    sampler = EvolutionSampler(family, seed=0, startup=8, population=4, crossover=0.0)
    return optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)


def test_designs_are_drawn_at_random_until_startup(study, family):
    fill(study, family, 8)
    assert family.parents == []
    fill(study, family, 1)
    assert family.parents


def test_designs_that_a_race_stopped_are_known_too_but_are_no_parents(study, family):
    """With races on hard data most designs are stopped: the sampler would else draw at random for the whole search."""
    fill(study, family, 2)
    complete = {read_trial(trial).candidate for trial in study.trials}
    for _ in range(6):
        trial = study.ask()
        family.suggest(trial)
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    assert family.parents == []
    fill(study, family, 1)
    assert {parent.digest for parent in family.parents} <= complete


def test_parents_are_non_dominated_before_others(study, family):
    fill(study, family, 30)
    family.parents.clear()
    fill(study, family, 1)
    best = {read_trial(trial).candidate for trial in study.best_trials}
    assert family.parents[0].digest in best


def test_of_a_rank_the_least_crowded_come_first(family, space):
    """Four points on one front: the first two crowd each other, and add least to the hypervolume."""
    values = [(5.0, 4.0), (5.1, 4.2), (0.0, 0.0), (10.0, 10.0)]
    study = optuna.create_study(
        directions=["maximize", "minimize"], sampler=EvolutionSampler(family, seed=0, startup=4, population=2, crossover=0.0)
    )
    rng = np.random.default_rng(0)
    candidates = {candidate.digest: candidate for candidate in (space.sample(rng) for _ in range(60))}
    chosen = list(candidates.values())[:4]
    for candidate, value in zip(chosen, values, strict=True):
        study.enqueue_trial(space.encode(candidate))
        trial = study.ask()
        space.suggest(trial)
        study.tell(trial, value)
    for _ in range(20):
        family.suggest(study.ask())
    assert {parent.digest for parent in family.parents} == {chosen[2].digest, chosen[3].digest}


def test_a_child_is_stored_by_its_parameters(study, family):
    fill(study, family, 20)
    for trial in study.trials:
        assert family.decode(trial.params).digest == read_trial(trial).candidate


def test_children_are_new_while_new_ones_are_near(study, family):
    fill(study, family, 16)
    digests = [read_trial(trial).candidate for trial in study.trials]
    assert len(set(digests[8:]) - set(digests[:8])) == len(digests[8:])


def test_an_enqueued_trial_keeps_its_parameters(study, family):
    fill(study, family, 10)
    params = {"num_fusions": 0, "stream": "mrna", "recipe.width": 16}
    study.enqueue_trial(params)
    trial = study.ask()
    family.suggest(trial)
    assert trial.params == params


@pytest.mark.parametrize("sampler", [EvolutionSampler, CostAwareSampler])
def test_what_cannot_be_read_back_has_no_children(sampler):
    """Where nothing but `cat` can stand, a join of joins may become one that takes a source twice, which no decision spells."""
    tables = [Modality(name, "tabular", (5,)) for name in "abc"]
    space = SearchSpace(tables, operators=["cat"], max_fusions=3, max_trunk=0, scores=False)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler(space, seed=0, startup=8))
    fill(study, space, 30)
    assert any(not space.contains(space.decode(trial.params)) for trial in study.trials)
