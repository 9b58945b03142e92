from __future__ import annotations

import itertools

import pytest

from fusearch.data.modality import Modality
from fusearch.reports.figures.marks import LANE, SLOT, Placement
from fusearch.reports.figures.placement import lay_out
from fusearch.search_space import FusionGraph
from fusearch.search_space.published import PUBLISHED, published_design

TABLES = tuple(Modality(name, "tabular", (20,)) for name in ("mrna", "meth", "mirna"))
HEADER = "mrna:mlp | meth:mlp | mirna:mlp\n"
DESIGNS = {
    "unimodal": "mrna:mlp\nmrna@L ->",
    "early": HEADER + "F1 = cat(mrna@0, meth@0, mirna@0; trunk=fc:2) ->",
    "late": HEADER + "F1 = vote_mean(mrna@score, meth@score, mirna@score) ->\ntrain = independent",
    "chain": HEADER + "F1 = cat(mrna@1, meth@2; trunk=fc:1)\nF2 = cat(F1@1, mirna@2) ->",
    "outer pair": HEADER
    + "F1 = cat(mrna@1, mirna@1; trunk=fc:2)\nF2 = low_rank(F1@1, meth@2; trunk=fc:1)\nF3 = cat(F2@1, F1@2, mrna@2) ->",
    "ports": "mrna:mlp | meth:mlp\nF1 = cross_stitch(mrna@1, meth@1; trunk=fc:1)\nF2 = cat(F1.mrna@1, F1.meth@1) ->",
    "continue": HEADER + "F1 = film(mrna@1, meth@2; trunk=continue(mrna))\nF2 = cat(F1@L, mirna@2) ->",
    "all stages": "mrna:mlp | meth:mlp\nF1 = cat(mrna@*, meth@2) ->",
}


@pytest.fixture(params=[*DESIGNS, *PUBLISHED], ids=str)
def design(request: pytest.FixtureRequest) -> FusionGraph:
    """Each of our own designs, and each of the 54 published ones."""
    if request.param in DESIGNS:
        return FusionGraph.parse(DESIGNS[request.param], TABLES)
    return published_design(request.param)


def rectangles(layout: Placement) -> list[tuple[float, float, float, float]]:
    found = [(node.x, node.y - node.height / 2, node.at(node.trunk), node.y + node.height / 2) for node in layout.nodes]
    return found + [(rail.x, rail.y - 10, rail.at(rail.num_used), rail.y + 10) for rail in layout.rails]


def test_nothing_overlaps(design: FusionGraph) -> None:
    for (l0, t0, r0, b0), (l1, t1, r1, b1) in itertools.combinations(rectangles(lay_out(design)), 2):
        assert r0 <= l1 or r1 <= l0 or b0 <= t1 or b1 <= t0


def test_every_part_of_the_design_is_there(design: FusionGraph) -> None:
    layout = lay_out(design)
    assert [rail.name for rail in layout.rails] == [stream.name for stream in design.streams]
    assert {node.name for node in layout.nodes} == {fusion.name for fusion in design.fusions}
    assert len(layout.edges) == sum(len(fusion.args) for fusion in design.fusions)
    assert len(layout.heads) == len(design.outputs)


def test_time_runs_to_the_right(design: FusionGraph) -> None:
    layout = lay_out(design)
    nodes = {node.name: node for node in layout.nodes}
    for fusion in design.fusions:
        for tap in fusion.args:
            if tap.source in nodes:
                assert nodes[tap.source].at(tap.depth) < nodes[fusion.name].x
    for edge in layout.edges:
        assert edge.wire.points[0][0] < edge.wire.points[-1][0]


def test_everything_lies_inside_the_frame(design: FusionGraph) -> None:
    layout = lay_out(design)
    points = [point for edge in layout.edges for point in edge.wire.points]
    points += [(x, y) for left, top, right, bottom in rectangles(layout) for x, y in ((left, top), (right, bottom))]
    assert all(layout.left <= x <= layout.left + layout.width and layout.top <= y <= layout.top + layout.height for x, y in points)


def test_streams_are_rails_with_the_stages_that_are_used() -> None:
    layout = lay_out(FusionGraph.parse(DESIGNS["chain"], TABLES))
    assert [(rail.name, rail.num_used, rail.y) for rail in layout.rails] == [("mrna", 1, 0), ("meth", 2, LANE), ("mirna", 2, 2 * LANE)]
    assert layout.rails[1].at(2) == 2 * SLOT
    assert {mark.label for mark in layout.marks} == {"@1", "@2"}


def test_a_trunk_that_continues_a_stream_stays_on_its_lane_in_its_colour() -> None:
    layout = lay_out(FusionGraph.parse(DESIGNS["continue"], TABLES))
    node = next(node for node in layout.nodes if node.name == "F1")
    assert (node.y, node.trunk_colour, node.trunk_caption) == (layout.rails[0].y, layout.rails[0].colour, "rest of mrna")


def test_ports_taken_at_one_place_share_a_mark() -> None:
    layout = lay_out(FusionGraph.parse(DESIGNS["ports"], TABLES))
    assert "@1 mrna, meth" in {mark.label for mark in layout.marks}


def test_a_modality_keeps_its_colour_in_designs_that_leave_others_out() -> None:
    names = [modality.name for modality in TABLES]
    alone = lay_out(FusionGraph.parse("mirna:mlp\nmirna@L ->", TABLES), names)
    assert alone.rails[0].colour == 2
