"""The cost-aware sampler: it knows costs, believes in what is pending, learns from races, and finds a front in fewer evaluations."""

import math

import numpy as np
import optuna
import pytest

from fusearch import pareto
from fusearch.contracts import Objective
from fusearch.data.modality import Modality
from fusearch.search import cost_aware, run_search
from fusearch.search.bounds import CheapBounds
from fusearch.search.cost_aware import CostAwareSampler
from fusearch.search.expected_gain import expected_gain
from fusearch.search.performance_forest import PerformanceForest
from fusearch.search_space import OPERATORS, SearchSpace
from fusearch.settings import Settings
from fusearch.study import TrialFacts, read_trial, write_trial

optuna.logging.set_verbosity(optuna.logging.WARNING)

TABLES = [Modality(name, "tabular", (20,)) for name in "abc"]


class Toy:
    """Designs whose score hangs on modalities, operators, width and learning rate, at a cost that grows with what they have."""

    def __init__(self):
        self.asked = []

    def cheap(self, candidate):
        self.asked.append(candidate.digest)
        return {"macs": self.macs(candidate)}

    @staticmethod
    def macs(candidate):
        width, graph = candidate.recipe.width, candidate.graph
        encoders = sum(20 * width * (1 + stream.params.get("layers", 1)) for stream in graph.streams)
        fusions = sum(width * width * (len(fusion.args) + fusion.trunk.num_stages) for fusion in graph.fusions)
        return float(encoders + fusions) ** 1.5  # over more than one and a half decades

    @staticmethod
    def score(candidate):
        used = {stream.modality for stream in candidate.graph.streams}
        families = {OPERATORS[fusion.operator].family for fusion in candidate.graph.fusions}
        recipe = candidate.recipe
        value = 0.6 + 0.08 * ("a" in used) + 0.05 * ("b" in used) - 0.02 * ("c" in used) + 0.06 * ("tensor" in families)
        return value + 0.015 * math.log2(recipe.width / 16) - 0.05 * abs(math.log10(recipe.learning_rate) + 2.5)

    def __call__(self, candidate, budget, report):
        return {"score": self.score(candidate), "macs": self.macs(candidate)}

    def objectives(self):
        return frozenset({"score", "macs"})

    def describe(self):
        return {}


@pytest.fixture
def space():
    return SearchSpace(TABLES)


OBJECTIVES = (Objective.parse("score:max"), Objective.parse("macs"))


def study_of(sampler):
    return optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)


def asked(study, space):
    """Ask as a session does."""
    trial = study.ask()
    candidate = space.suggest(trial)
    write_trial(trial, TrialFacts(candidate=candidate.digest))
    return trial, candidate


def fill(study, space, number):
    for _ in range(number):
        trial, candidate = asked(study, space)
        study.tell(trial, [Toy.score(candidate), Toy.macs(candidate)])


def knowing(space, toy, seed=0, objectives=OBJECTIVES):
    sampler = CostAwareSampler(space, seed=seed, startup=10)
    sampler.know(objectives, CheapBounds(toy, objectives, Settings()))
    return sampler


def hypervolumes(candidates):
    points = [(Toy.score(candidate), math.log10(Toy.macs(candidate))) for candidate in candidates]
    return pareto.hypervolume_over_trials(points, ["maximize", "minimize"], reference=(0.5, 7.0))


@pytest.mark.slow
def test_it_finds_the_front_in_fewer_evaluations_than_random_draws(space):
    """With a third of the evaluations, in the median over seeds, it dominates more than random draws do."""
    random = [hypervolumes([space.sample(rng) for _ in range(90)])[-1] for rng in map(np.random.default_rng, range(9))]
    learned = []
    for seed in range(3):
        study = study_of(knowing(space, Toy(), seed=seed))
        fill(study, space, 30)
        learned.append(hypervolumes([space.decode(trial.params) for trial in study.trials])[-1])
    assert np.median(learned) > np.median(random)


def test_cost_is_asked_of_a_few_and_only_once_it_learns(space):
    toy = Toy()
    study = study_of(knowing(space, toy))
    fill(study, space, 10)
    assert toy.asked == []
    fill(study, space, 5)
    assert 0 < len(toy.asked) <= 5 * CostAwareSampler.ASKED
    assert len(set(toy.asked)) == len(toy.asked)


def test_what_is_known_goes_before_what_was_learned(space):
    """Wide designs are said to cost more than all that was seen, though no trial of one shows it."""

    class Dear(Toy):
        def cheap(self, candidate):
            return {"macs": 1e12 if candidate.recipe.width > 16 else self.macs(candidate)}

    study = study_of(knowing(space, Dear()))
    fill(study, space, 25)
    widths = [space.decode(trial.params).recipe.width for trial in study.trials]
    assert max(widths[:10]) > 16
    assert max(widths[10:]) == 16


def test_a_known_bound_is_kept(space):
    bounded = (OBJECTIVES[0], Objective.parse("macs<=300000"))
    study = study_of(knowing(space, Toy(), objectives=bounded))
    fill(study, space, 25)
    costs = [trial.values[1] for trial in study.trials]
    assert max(costs[:10]) > 3e5
    assert max(costs[10:]) <= 3e5


def test_what_is_pending_is_believed_at_its_predicted_mean_and_its_known_cost(space, monkeypatch):
    """So a worker that asks meanwhile looks elsewhere on the front, and never gets the same design."""
    fronts = []

    def watched(mean, deviation, front, reference):
        fronts.append(front)
        return expected_gain(mean, deviation, front, reference)

    monkeypatch.setattr(cost_aware, "expected_gain", watched)
    study = study_of(knowing(space, Toy()))
    fill(study, space, 15)
    pending = []
    for number in range(4):
        _, candidate = asked(study, space)
        believed = fronts[-1][15:]
        assert believed[:, 1].tolist() == [math.log10(Toy.macs(each)) for each in pending]
        assert len(believed) == number
        pending.append(candidate)
    assert len({each.digest for each in pending}) == 4
    errors = [loss + Toy.score(each) for loss, each in zip(fronts[-1][15:, 0], pending, strict=False)]
    assert np.abs(errors).max() < 0.1  # scores lie between 0.5 and 0.9


def test_no_design_is_proposed_twice(space):
    study = study_of(knowing(space, Toy()))
    fill(study, space, 25)
    digests = [read_trial(trial).candidate for trial in study.trials]
    assert len(set(digests[10:]) - set(digests[:10])) == 15


def test_what_a_race_stopped_is_learned_from_but_is_no_part_of_the_front(space):
    """Designs with modality c look hopeless after two folds of five: no more are proposed, though none was evaluated to the end."""

    def members(candidate, folds):
        return [{"fold": fold, "seed": 0, "metrics": {"score": Toy.score(candidate)}} for fold in range(folds)]

    def share_with_c(stops):
        study = study_of(knowing(space, Toy(), seed=3))
        rng, proposed = np.random.default_rng(0), []
        while len(study.trials) < 40:
            if len(study.trials) < 30:
                study.enqueue_trial(dict(space.encode(space.sample(rng))))
            trial, candidate = asked(study, space)
            has_c = any(stream.modality == "c" for stream in candidate.graph.streams)
            if len(study.trials) > 30:
                proposed.append(has_c)
            if has_c and stops:
                facts = [{**each, "metrics": {"score": 0.3}} for each in members(candidate, 2)]
                write_trial(trial, TrialFacts(details={"members": facts}, raced={"folds": 2, "num_folds": 5, "rival": 0, "chance": 0.01}))
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            elif has_c:
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            else:
                write_trial(trial, TrialFacts(details={"members": members(candidate, 5)}))
                study.tell(trial, [Toy.score(candidate), Toy.macs(candidate)])
        return np.mean(proposed)

    assert share_with_c(stops=True) < share_with_c(stops=False)


@pytest.mark.slow
def test_one_objective_and_three_and_costs_that_nobody_knows(space):
    """Without a known cost all objectives are learned; the gain has a closed form all the same."""
    for names in (["score:max"], ["score:max", "macs", "fusions:min"]):
        sampler = CostAwareSampler(space, seed=0, startup=10)
        objectives = [Objective.parse(name) for name in names]
        sampler.know(objectives, CheapBounds(lambda *_: {}, objectives, Settings()))
        study = optuna.create_study(directions=[each.direction for each in objectives], sampler=sampler)
        for _ in range(20):
            trial, candidate = asked(study, space)
            study.tell(trial, [Toy.score(candidate), Toy.macs(candidate), float(len(candidate.graph.fusions))][: len(names)])
        best = [max(trial.values[0] for trial in each) for each in (study.trials[:10], study.trials[10:])]
        assert best[1] > best[0] or len(names) > 1


@pytest.mark.slow
def test_designs_outside_the_space_are_learned_from(space, tmp_path, monkeypatch):
    """Solved linear references have no parameters; they stand on the front, and the forest learns from them, all the same."""
    learned = []

    class Watched(PerformanceForest):
        def __init__(self, described, *rest, **more):
            learned.append(len(described))
            super().__init__(described, *rest, **more)

    monkeypatch.setattr(cost_aware, "PerformanceForest", Watched)
    run = run_search(space, Toy(), OBJECTIVES, out=tmp_path / "run", trials=40, sampler="cost_aware", executor="inline")
    records = [record for record in run.records() if record.evaluated]
    assert any(record.rebuilt_from for record in records)
    assert len(records) == 40
    assert learned[-1] > sum(record.rebuilt_from is None for record in records)
