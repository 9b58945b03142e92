from __future__ import annotations

import networkx as nx
from hypothesis import given
from strategies import HAND_MADE, graphs, law

from fusearch.search_space import FusionGraph


@law
@given(graphs())
def test_the_view_has_every_part_and_no_cycle(graph: FusionGraph) -> None:
    view = graph.to_networkx()
    kinds = nx.get_node_attributes(view, "kind")
    assert sorted(name for name, kind in kinds.items() if kind == "stream") == sorted(stream.name for stream in graph.streams)
    assert sorted(name for name, kind in kinds.items() if kind == "fusion") == sorted(graph.order)
    assert list(kinds.values()).count("output") == len(graph.outputs)
    assert nx.is_directed_acyclic_graph(view)
    for source, target, edge in view.edges(data=True):
        if edge["kind"] == "tap":
            assert view.nodes[source]["depth"] < view.nodes[target]["depth"]
    assert all(view.nodes[name]["label"] for name in view)


def test_edges_tell_depths_ports_ties_and_continued_encoders() -> None:
    view = FusionGraph.parse(HAND_MADE[0]).to_networkx()
    assert view.edges["F1", "F2"] == {"kind": "tap", "depth": "0", "port": "a"}
    assert FusionGraph.parse(HAND_MADE[2]).to_networkx().edges["before", "after"]["kind"] == "tie"
    chain = FusionGraph.parse("a:mlp(layers=3) | b:mlp\nF1 = sum(a@1, b@1; trunk=continue(a))\nF2 = sum(F1@1, b@2; trunk=continue(a)) ->")
    assert chain.to_networkx().edges["a", "F2"]["kind"] == "continue"
    assert FusionGraph.parse(HAND_MADE[5]).to_networkx().edges["a", "F1"]["depth"] == "*, 0"
