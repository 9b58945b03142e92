from __future__ import annotations

from fusearch.reports.figures.marks import SLOT, Node, Rail


def test_depths_of_a_rail() -> None:
    rail = Rail(name="cxr", caption="", colour=0, x=10.0, y=0.0, num_used=3, num_stages=4, scored=True)
    assert [rail.at(depth) for depth in (0, 2, "*", "score")] == [10.0, 10 + 2 * SLOT, 10 + 4 * SLOT, 10 + 5 * SLOT]


def test_depths_of_a_trunk_start_at_the_right_edge_of_the_box() -> None:
    node = Node("F1", "cat", "⊕", (), x=100.0, y=0.0, width=60.0, height=34.0, trunk=2, trunk_caption="fc", trunk_colour=None)
    assert [node.at(depth) for depth in (0, 1, "L")] == [160.0, 160 + SLOT, 160 + 2 * SLOT]
