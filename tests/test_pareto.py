"""Laws and oracles of the Pareto wrappers: brute force, hand-computed areas, refusal of what is not finite."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fusearch.contracts import Objective
from fusearch.errors import EvaluationError
from fusearch.pareto import (
    contributions,
    hypervolume,
    hypervolume_over_trials,
    is_logarithmic,
    is_nondominated,
    knee,
    losses,
    ranks,
    reference_point,
)

DIRECTIONS = ["maximize", "minimize"]


@st.composite
def clouds(draw, max_points=12):
    """Points on a small grid (so that ties happen) with a direction for each of one to three objectives."""
    num_objectives = draw(st.integers(1, 3))
    shape = (draw(st.integers(1, max_points)), num_objectives)
    points = draw(arrays(np.int64, shape, elements=st.integers(0, 4))).astype(float)
    return points, draw(st.lists(st.sampled_from(DIRECTIONS), min_size=num_objectives, max_size=num_objectives))


def dominates(a, b, directions):
    better = [x >= y if way == "maximize" else x <= y for x, y, way in zip(a, b, directions, strict=True)]
    return all(better) and tuple(a) != tuple(b)


@given(clouds())
def test_nondominated_agrees_with_brute_force(cloud):
    points, directions = cloud
    expected = [not any(dominates(other, point, directions) for other in points) for point in points]
    assert is_nondominated(points, directions).tolist() == expected
    assert (ranks(points, directions) == 0).tolist() == expected


@given(clouds())
def test_ranks_peel_front_after_front(cloud):
    points, directions = cloud
    rank = ranks(points, directions)
    for level in range(rank.max() + 1):
        left = rank >= level
        assert np.array_equal(rank[left] == level, is_nondominated(points[left], directions))


@given(clouds())
def test_hypervolume_counts_the_unit_cells_that_are_dominated(cloud):
    points, directions = cloud
    reference = [-1.0 if way == "maximize" else 5.0 for way in directions]
    oriented = np.array([[4 - x if way == "maximize" else x for x, way in zip(row, directions, strict=True)] for row in points])
    cells = np.stack(np.meshgrid(*[np.arange(5)] * len(directions), indexing="ij"), axis=-1).reshape(-1, len(directions))
    covered = sum(bool((oriented <= cell).all(axis=1).any()) for cell in cells)
    assert hypervolume(points, directions, reference=reference) == pytest.approx(covered)


@given(clouds(), st.randoms())
def test_hypervolume_does_not_depend_on_the_order(cloud, random):
    points, directions = cloud
    reference = reference_point(points, directions)
    shuffled = list(points)
    random.shuffle(shuffled)
    assert hypervolume(shuffled, directions, reference=reference) == pytest.approx(hypervolume(points, directions, reference=reference))


@given(clouds())
def test_hypervolume_over_trials_is_the_hypervolume_of_each_prefix_and_never_falls(cloud):
    points, directions = cloud
    reference = reference_point(points, directions)
    curve = hypervolume_over_trials(points, directions)
    expected = [hypervolume(points[: stop + 1], directions, reference=reference) for stop in range(len(points))]
    assert curve == pytest.approx(expected)
    assert (np.diff(curve) >= -1e-12).all()


@given(clouds())
def test_contribution_is_what_is_lost_without_the_point(cloud):
    points, directions = cloud
    reference = reference_point(points, directions)
    whole = hypervolume(points, directions, reference=reference)
    lost = [whole - hypervolume(np.delete(points, index, axis=0), directions, reference=reference) for index in range(len(points))]
    assert contributions(points, directions, reference=reference) == pytest.approx(lost, abs=1e-9)


def test_reference_point_lies_a_tenth_of_the_range_beyond_the_worst():
    assert reference_point([[0.5, 10], [1.0, 30]], DIRECTIONS) == pytest.approx((0.45, 32))
    assert reference_point([[0.5, 10]], DIRECTIONS) == pytest.approx((-0.5, 11))


def test_points_beyond_the_reference_count_nothing():
    assert hypervolume([[0.9, 10], [0.2, 50]], DIRECTIONS, reference=[0.0, 20]) == pytest.approx(9.0)


@given(clouds(), st.floats(0.5, 1000), st.floats(-100, 100))
def test_knee_does_not_depend_on_the_units(cloud, scale, shift):
    points, directions = cloud
    chosen = points[knee(points, directions)]
    again = points[knee(points * scale + shift, directions)]
    spread = np.ptp(points, axis=0)
    distance = [
        sum(((best(column) - x) / s) ** 2 for x, column, s, best in zip(row, points.T, spread, ideal, strict=True) if s)
        for row in (chosen, again)
        for ideal in [[max if way == "maximize" else min for way in directions]]
    ]
    assert distance[0] == pytest.approx(distance[1])


def test_knee_is_the_corner_of_an_l_shaped_front():
    assert knee([[1.0, 100], [0.95, 10], [0.0, 0]], DIRECTIONS) == 1


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("ask", [is_nondominated, ranks, reference_point, hypervolume_over_trials, knee])
def test_values_that_are_not_finite_are_refused(ask, bad):
    with pytest.raises(EvaluationError, match=r"point 1 is \[0.5, .*\], expected finite numbers"):
        ask([[0.5, 1.0], [0.5, bad]], DIRECTIONS)


def test_a_reference_point_that_is_not_finite_is_refused():
    with pytest.raises(EvaluationError, match="expected finite numbers"):
        hypervolume([[0.5, 1.0]], DIRECTIONS, reference=[float("nan"), 2.0])


def test_a_wrong_number_of_columns_is_refused():
    with pytest.raises(EvaluationError, match=r"shape \(1, 3\), expected \(N, 2\)"):
        losses([[1, 2, 3]], DIRECTIONS)


def test_no_points():
    assert is_nondominated([], DIRECTIONS).tolist() == []
    assert ranks([], DIRECTIONS).tolist() == []
    assert hypervolume([], DIRECTIONS, reference=[0, 1]) == 0
    assert hypervolume_over_trials([], DIRECTIONS).tolist() == []
    assert contributions([], DIRECTIONS, reference=[0, 1]).tolist() == []
    with pytest.raises(EvaluationError, match="no points"):
        knee([], DIRECTIONS)
    with pytest.raises(EvaluationError, match="no points"):
        reference_point([], DIRECTIONS)


def test_a_cost_over_many_decades_is_logarithmic_and_a_score_never_is():
    macs = Objective.parse("macs")
    assert is_logarithmic(macs, [1e3, 1e5])
    assert not is_logarithmic(macs, [1e3, 2e4])  # 1.3 decades
    assert not is_logarithmic(macs, [0.0, 1e5])
    assert not is_logarithmic(macs, [])
    assert not is_logarithmic(Objective.parse("auroc"), [0.001, 0.9])
