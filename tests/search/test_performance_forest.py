"""The forest: it learns what decides, is unsure where it has seen little, and counts observations by their folds."""

import numpy as np
import pytest

from fusearch.data.modality import Modality
from fusearch.search.performance_forest import PerformanceForest
from fusearch.search_space import SearchSpace
from fusearch.search_space.design.features import features_of

SPACE = SearchSpace([Modality("mrna", "tabular", (20,)), Modality("meth", "tabular", (30,))], operators=["cat", "sum", "product"])


def described(candidates):
    return [features_of(each.graph, each.recipe.to_dict()) for each in candidates]


def losses(candidates, noise=0.0):
    """Fusions by a sum are best, and a learning rate near 10^-3."""
    rng = np.random.default_rng(1)
    sums = np.array([1.0 * any(fusion.operator == "sum" for fusion in each.graph.fusions) for each in candidates])
    rates = np.array([abs(np.log10(each.recipe.learning_rate) + 3) for each in candidates])
    return (-sums + rates + noise * rng.normal(size=len(candidates)))[:, None]


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(0)
    return [SPACE.sample(rng) for _ in range(400)]


def forest(candidates, values, weights=None, seed=0):
    weights = np.ones(len(candidates)) if weights is None else weights
    return PerformanceForest(described(candidates), values, weights, trees=[40] * values.shape[1], seed=seed)


def test_it_ranks_designs_that_it_has_not_seen(drawn):
    mean, _ = forest(drawn[:150], losses(drawn[:150], noise=0.05)).predict(described(drawn[150:]))
    assert np.corrcoef(mean[:, 0], losses(drawn[150:])[:, 0])[0, 1] > 0.9


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_its_deviation_is_about_the_size_of_its_errors(drawn, noise):
    """Between half and twice; a constant, or the spread between trees alone, would be outside for one of the noises."""
    values = losses(drawn, noise)
    mean, deviation = forest(drawn[:150], values[:150]).predict(described(drawn[150:]))
    assert 0.5 < np.std((values[150:] - mean) / deviation) < 2.0


def test_an_observation_counts_by_its_folds(drawn):
    """One look at a design says 0 with four folds, another says 1 with one; nothing else tells designs apart."""
    twice = [drawn[0], drawn[0]] * 10
    mean, _ = forest(twice, np.array([[0.0], [1.0]] * 10), np.array([4.0, 1.0] * 10)).predict(described(drawn[:1]))
    assert mean[0, 0] == pytest.approx(0.2, abs=0.05)


def test_an_objective_learns_from_the_observations_that_have_it(drawn):
    values = np.hstack([losses(drawn[:100]), losses(drawn[:100])])
    values[::2, 1] = np.nan
    mean, _ = forest(drawn[:100], values).predict(described(drawn[100:]))
    alone, _ = forest(drawn[1:100:2], values[1::2, 1:]).predict(described(drawn[100:]))
    assert np.isfinite(mean).all()
    assert np.corrcoef(mean[:, 1], alone[:, 0])[0, 1] > 0.95


def test_the_seed_decides(drawn):
    one, same, other = (forest(drawn[:30], losses(drawn[:30]), seed=seed).predict(described(drawn[30:]))[0] for seed in (0, 0, 1))
    assert (one == same).all()
    assert (one != other).any()
