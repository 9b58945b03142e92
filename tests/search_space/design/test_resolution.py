from __future__ import annotations

from strategies import HAND_MADE

from fusearch.search_space import FusionGraph


def test_continue_goes_on_where_the_argument_stands() -> None:
    graph = FusionGraph.parse(
        "a:mlp(layers=3) | b:mlp\nF1 = sum(a@1, b@1; trunk=continue(a))\nF2 = product(F1@1, b@2; trunk=continue(a))\n"
        "F3 = film(F2@0, b@0; trunk=continue(a)) ->"
    )
    assert graph.continued("F1") == (0, 1)
    assert graph.num_stages("F1") == 2
    assert graph.continued("F2") == (0, 2)
    assert graph.num_stages("F2") == 1
    # F2@0 still has the shape of F1@1: nothing but the join lies between.
    assert graph.continued("F3") == (0, 2)
    assert graph.continued("F3") is not None


def test_continue_of_a_ported_fusion_goes_on_with_one_port() -> None:
    graph = FusionGraph.parse(HAND_MADE[1])
    assert graph.continued("F1") == (1, 1)
    assert graph.ports_read("F2", 0) == (0,)
    assert graph.ports_read("F2", 1) == (1,)


def test_ports_follow_the_other_arguments() -> None:
    graph = FusionGraph.parse(HAND_MADE[0])
    assert graph.ports_read("F1", 0) == ()
    assert graph.ports_read("F2", 1) == (0,)
    assert graph.ports_read("F3", 1) == (1,)
    both = FusionGraph.parse("a:mlp | b:mlp\nF1 = mmtm(a@1, b@1)\nF2 = cat(F1@0, F1@0) ->")
    assert both.ports_read("F2", 0) == both.ports_read("F2", 1) == (0, 1)
    named = FusionGraph.parse("a:mlp | b:mlp\nF1 = mmtm(a@1, b@1)\nF2 = cat(F1.2@0, a@1) ->")
    assert named.ports_read("F2", 0) == (1,)
    assert "F1.b@0" in str(named)


def test_a_port_that_the_rule_finds_by_itself_is_left_out() -> None:
    text = "a:mlp | b:mlp\nF1 = mmtm(a@2, b@2)\nF2 = cat({}@0, a@1) ->"
    wordy, short = (FusionGraph.parse(text.format(tap)) for tap in ("F1.a", "F1"))
    assert wordy == short
    assert str(wordy) == text.format("F1")


def test_outputs_may_name_a_port() -> None:
    graph = FusionGraph.parse("a:mlp | b:mlp\nF1 = mmtm(a@1, b@1) ->\nF1.b -> b")
    assert graph.ports_of_output(0) == (0, 1)
    assert graph.ports_of_output(1) == (1,)
    assert FusionGraph.parse(str(graph)) == graph


def test_fusions_may_stand_in_any_order() -> None:
    graph = FusionGraph.parse("a:mlp | b:mlp\nF2 = cat(F1@1, a@0) ->\nF1 = cat(a@1, b@1)")
    assert [fusion.name for fusion in graph.fusions] == ["F2", "F1"]
    assert graph.order == ("F1", "F2")
