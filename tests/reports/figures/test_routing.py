from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from fusearch.reports.figures.routing import Box, Wire, route

LANES = [0.0, 32.0, 64.0, 96.0, 128.0]


def hits(wire: Wire, boxes: list[Box]) -> int:
    return sum(box.holds(x, y) for box in boxes for x, y in wire.sample())


def test_on_one_height_the_way_is_straight() -> None:
    assert route((0, 10), (200, 10), [], LANES).svg() == "M0 10H200"


def test_the_way_leaves_its_lane_early_where_something_stands_on_it() -> None:
    box = Box(60, -13, 120, 13)
    wire = route((0, 0), (200, 64), [box], LANES)
    assert hits(wire, [box]) == 0
    assert hits(Wire(((0, 0), (162, 0), (200, 64))), [box]) > 0  # the way that stays on its lane


def test_between_two_obstacles_the_way_runs_on_a_lane_between_them() -> None:
    boxes = [Box(50, -13, 300, 13), Box(20, 115, 200, 141)]
    wire = route((0, 0), (400, 128), boxes, LANES)
    assert hits(wire, boxes) == 0
    assert {y for _, y in wire.points} - {0, 128}


@given(
    end=st.tuples(st.floats(45, 500), st.sampled_from(LANES)),
    boxes=st.lists(st.tuples(st.floats(10, 400), st.sampled_from(LANES)), max_size=5),
)
def test_every_way_starts_and_ends_where_it_should_and_never_turns_back(end: tuple[float, float], boxes: list[tuple[float, float]]) -> None:
    obstacles = [Box(x, y - 13, x + 60, y + 13) for x, y in boxes]
    wire = route((0.0, 0.0), end, obstacles, LANES)
    assert wire.points[0] == (0.0, 0.0)
    assert wire.points[-1] == end
    assert all(a[0] <= b[0] for a, b in itertools.pairwise(wire.points))
    assert all(x0 <= x1 + 1e-9 for (x0, _), (x1, _) in itertools.pairwise(wire.sample()))


def test_boxes_overlap_where_they_share_area() -> None:
    assert Box(0, 0, 10, 10).overlaps(Box(9, 9, 20, 20))
    assert not Box(0, 0, 10, 10).overlaps(Box(10, 0, 20, 10))
