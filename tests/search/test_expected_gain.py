"""The expected hypervolume improvement in closed form: against Monte Carlo, against exact hypervolumes, against the sum over steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, qmc

from fusearch import pareto
from fusearch.search import expected_gain as module
from fusearch.search.expected_gain import expected_gain, expected_improvement


def gains_of(points, front, reference):
    """Return the hypervolume that each point adds, by `moocore`."""
    directions = ["minimize"] * front.shape[1]
    before = pareto.hypervolume(front, directions, reference=reference)
    return np.array([pareto.hypervolume(np.vstack([front, point]), directions, reference=reference) - before for point in points])


@st.composite
def cases(draw, fewest=1, most=4):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dims = draw(st.integers(fewest, most))
    front = rng.uniform(size=(draw(st.integers(1, 8)), dims))
    return rng, front, np.full(dims, 1.1)


@given(cases())
def test_of_a_design_that_is_known_it_is_the_hypervolume_that_it_adds(case):
    rng, front, reference = case
    points = rng.uniform(-0.2, 1.3, size=(5, len(reference)))
    assert expected_gain(points, np.zeros_like(points), front, reference) == pytest.approx(gains_of(points, front, reference), abs=1e-9)


@pytest.mark.parametrize(
    ("objectives", "known"), [(1, ()), (2, (1,)), (2, (0,)), (2, ()), (3, (1, 2)), (3, (2,)), (3, ())], ids=lambda value: str(value)
)
@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_monte_carlo(objectives, known, seed):
    rng = np.random.default_rng([seed, objectives, len(known)])
    front, reference = rng.uniform(0.3, 0.5, size=(1, 1)), np.full(objectives, 1.1)
    if objectives > 1:
        front = rng.dirichlet(np.ones(objectives), size=12) * rng.uniform(1, 1.3, size=(12, 1))
    mean, deviation = front[:1] + rng.uniform(-0.15, 0.0, size=(1, objectives)), rng.uniform(0.1, 0.3, size=(1, objectives))
    deviation[:, list(known)] = 0.0
    normal = norm.ppf(qmc.Sobol(objectives, rng=rng).random(4096))
    drawn = gains_of(mean + deviation * normal, front, reference)
    assert expected_gain(mean, deviation, front, reference)[0] == pytest.approx(drawn.mean(), rel=0.05)


def test_with_a_known_cost_it_is_the_sum_over_the_steps_of_the_front():
    """Losses 0.5, 0.3 and 0.2 at costs 1, 2 and 4; a candidate of cost 1.5 gains on [1.5, 2), [2, 4) and [4, 5)."""
    front, reference = np.array([[0.5, 1.0], [0.3, 2.0], [0.2, 4.0]]), np.array([0.9, 5.0])
    mean, deviation = np.array([[0.35, 1.5]]), np.array([[0.1, 0.0]])
    steps = [(0.5, 0.5), (2.0, 0.3), (1.0, 0.2)]
    expected = sum(width * expected_improvement(np.array(below), mean[0, 0], deviation[0, 0]) for width, below in steps)
    assert expected_gain(mean, deviation, front, reference)[0] == pytest.approx(expected)


def test_below_the_cheapest_design_the_reference_is_what_has_to_be_beaten():
    front, reference = np.array([[0.5, 3.0]]), np.array([0.9, 5.0])
    gain = expected_gain(np.array([[0.7, 1.0]]), np.zeros((1, 2)), front, reference)
    assert gain[0] == pytest.approx(2 * 0.2)


@given(cases(2, 3))
def test_dominated_designs_and_those_beyond_the_reference_change_nothing(case):
    rng, front, reference = case
    mean, deviation = rng.uniform(size=(3, len(reference))), rng.uniform(0, 0.3, size=(3, len(reference)))
    more = np.vstack([front, front + 0.05, front - [*np.zeros(len(reference) - 1), -2.0]])
    assert expected_gain(mean, deviation, more, reference) == pytest.approx(expected_gain(mean, deviation, front, reference))


def test_an_empty_front_leaves_the_whole_box():
    gain = expected_gain(np.array([[0.25, 1.0], [0.25, 9.0]]), np.zeros((2, 2)), np.empty((0, 2)), np.array([1.0, 5.0]))
    assert gain.tolist() == [0.75 * 4, 0.0]


def test_in_many_objectives_a_part_of_a_large_front_stands_for_it(monkeypatch):
    """The gain is then an upper bound; the designs left out are those that add least."""
    rng = np.random.default_rng(0)
    front = rng.dirichlet(np.ones(3), size=60)
    mean, deviation, reference = rng.uniform(0, 0.5, size=(20, 3)), np.full((20, 3), 0.1), np.full(3, 1.0)
    exact = expected_gain(mean, deviation, front, reference)
    monkeypatch.setattr(module, "MOST_CELLS", 41**2)
    coarse = expected_gain(mean, deviation, front, reference)
    assert (coarse >= exact - 1e-12).all()
    assert (coarse > exact).any()
    assert np.corrcoef(coarse, exact)[0, 1] > 0.98
