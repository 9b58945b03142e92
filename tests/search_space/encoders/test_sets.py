from __future__ import annotations

from fusearch.search_space import FusionGraph


def test_stages() -> None:
    graph = FusionGraph.parse("a:deepset(stages=3)\na@L ->")
    assert graph.num_stages("a") == 3
    assert graph.modalities[0].kind == "graph"
