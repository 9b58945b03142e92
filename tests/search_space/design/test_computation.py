"""The nodes and edges of what a design computes (that they stand for functions is a law of the networks)."""

from __future__ import annotations

from fusearch.search_space import FusionGraph
from fusearch.search_space.design.computation import Computation


def computed(text: str) -> Computation:
    graph = FusionGraph.parse(text)
    return Computation(graph._design, graph.main_output)


def test_raw_values_are_one_node_and_a_head_on_them_another() -> None:
    found = computed("x = a:identity | y = a:identity | b:mlp; F1 = cat(x@0, y@score, b@1); F2 = sum(F1@1, b@0) ->")
    assert set(found.nodes) == {"y", "b", "identity a", "identity b", "F1", "F2"}
    assert [(edge.node, edge.depth) for edge in found.nodes["F1"].args] == [("identity a", "0"), ("y", "score"), ("b", "1")]


def test_what_stands_side_by_side_is_taken_apart() -> None:
    found = computed("a:mlp | b:mlp | c:mlp; F1 = mmtm(a@1, b@1); F2 = cat(F1@0, c@*) ->")
    taken = [(edge.node, edge.depth, edge.ports) for edge in found.nodes["F2"].args]
    assert taken == [("F1", "0", (0,)), ("F1", "0", (1,)), ("c", "1", ()), ("c", "2", ())]


def test_a_join_of_all_results_is_no_node_where_it_is_read_as_it_is() -> None:
    found = computed("a:mlp | b:mlp | c:mlp; F1 = mmtm(a@1, b@1); F2 = cat(F1.a@0, F1.b@0); F3 = low_rank(F2@0, c@1) ->")
    assert "F2" not in found.nodes
    assert found.nodes["F3"].args[0].ports == (0, 1)


def test_streams_that_share_weights_know_each_other_unless_one_is_trained_first() -> None:
    text = "x = a:mlp | y = b:mlp(tie=x){}; F1 = sum(x@1, y@1) ->"
    assert {name: computed(text.format("")).nodes[name].tied for name in "xy"} == {"x": ("y",), "y": ("x",)}
    assert {name: computed(text.format("; train = frozen")).nodes[name].tied for name in "xy"} == {"x": (), "y": ("x",)}
