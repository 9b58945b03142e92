from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from strategies import HAND_MADE, graphs, law

from fusearch.data.modality import Modality
from fusearch.errors import DesignError, FormulaError
from fusearch.search_space import Fusion, FusionGraph, Output, Stream, Tap, Trunk


@law
@given(graphs())
def test_printing_and_parsing_are_inverse(graph: FusionGraph) -> None:
    text = str(graph)
    again = FusionGraph.parse(text)
    assert again == graph
    assert str(again) == text
    assert FusionGraph.parse(graph.formula, graph.modalities) == graph


@law
@given(graphs())
def test_json_and_pickle_keep_the_design(graph: FusionGraph) -> None:
    for again in (FusionGraph.from_dict(graph.to_dict()), pickle.loads(pickle.dumps(graph))):
        assert again == graph
        assert hash(again) == hash(graph)
        assert again.modalities == graph.modalities
        assert again.digest == graph.digest


@law
@given(graphs())
def test_building_a_graph_again_changes_nothing(graph: FusionGraph) -> None:
    assert FusionGraph(graph.modalities, graph.streams, graph.fusions, graph.outputs, graph.training) == graph


@law
@given(graphs())
def test_order_and_coverage(graph: FusionGraph) -> None:
    seen = {stream.name for stream in graph.streams}
    for name in graph.order:
        args = graph.fusion(name).args
        assert {arg.source for arg in args} <= seen
        assert graph.covered(name) == frozenset().union(*(graph.covered(arg.source) for arg in args))
        assert len(graph.covered(name)) >= 2
        seen.add(name)
    assert graph.covered(graph.main_output.source.source) == set(graph.active_streams)


@law
@given(graphs())
def test_a_graph_fits_its_own_pattern(graph: FusionGraph) -> None:
    pattern = graph.to_pattern()
    assert pattern.matches(graph)
    assert type(pattern).parse(str(pattern)) == pattern
    ours, theirs = graph.labels, pattern.labels
    assert ours.fusions == theirs.fusions
    if len({stream.modality for stream in graph.streams}) == len(graph.streams):  # a pattern takes each stream for a modality
        assert (ours.type, ours.flows, ours.synchronous) == (theirs.type, theirs.flows, theirs.synchronous)


TABLES = (Modality("a", "tabular", (4,)), Modality("b", "tabular", (4,)), Modality("c", "tabular", (4,)))


def test_depths_params_and_trunks_are_filled_in() -> None:
    graph = FusionGraph(
        TABLES,
        (Stream("a", "a", "mlp"), Stream("b", "b", "mlp", {"layers": 3})),
        (
            Fusion("F1", "cross_attention", (Tap("a", "L"), Tap("b", "L"))),
            Fusion("F2", "cat", (Tap("F1", 2), Tap("a", 1)), trunk=Trunk("conv")),
        ),
        (Output(Tap("F2", "L")),),
    )
    assert graph.modalities == TABLES[:2]
    assert graph.stream("a").params == {"layers": 2}
    assert [arg.depth for arg in graph.fusion("F1").args] == [2, 3]
    assert graph.fusion("F1").params == {"heads": 4, "residual": True}
    assert graph.fusion("F1").trunk == Trunk("fc", 2)
    assert graph.fusion("F2").trunk == Trunk("fc", 0)
    assert graph.num_stages("F1") == 2
    assert graph.outputs == (Output(Tap("F2", 0)),)


def test_defaults_are_left_out_of_the_text() -> None:
    wordy = FusionGraph.parse(
        "x = a:mlp(layers=2) | b:mlp(layers=1)\ntrain = joint\nF1 = cross_attention(x@L, b@1; heads=4, residual=true, trunk=fc:1)\n"
        "F2 = cat(F1@1, b@0; trunk=fc:0) ->"
    )
    assert str(wordy) == "x = a:mlp | b:mlp(layers=1)\nF1 = cross_attention(x@2, b@1)\nF2 = cat(F1@1, b@0) ->"


def test_the_main_output_is_the_deepest_unnamed_one_that_covers_everything() -> None:
    graph = FusionGraph.parse(HAND_MADE[3])
    assert graph.main_output == Output(Tap("F5", 0))
    assert FusionGraph.parse("a:mlp | b:mlp\nF1 = cat(a@1, b@1) -> grade\nF1 -> stage").main_output.task == "stage"


def test_shapes_are_not_part_of_a_design() -> None:
    text = "F1 = cat(a@1, b@1) ->"
    small, large = (FusionGraph.parse(text, [Modality(name, "tabular", (size,)) for name in "ab"]) for size in (3, 9))
    assert small == large
    assert small.digest == large.digest
    assert small.modality("a").shape == (3,)


def test_a_graph_keeps_no_mutable_parts() -> None:
    params = {"layers": 3}
    stream = Stream("a", "a", "mlp", params)
    params["layers"] = 1
    assert stream.params == {"layers": 3}
    with pytest.raises(TypeError):
        stream.params["layers"] = 1  # type: ignore[index]  # that it cannot be set is the point


def test_unknown_parts_are_refused_with_the_nearest_name() -> None:
    graph = FusionGraph.parse(HAND_MADE[0])
    for look_up in (graph.stream, graph.fusion, graph.num_stages, graph.covered, graph.modality):
        with pytest.raises(DesignError, match="in this design"):
            look_up("F11")
    with pytest.raises(DesignError, match="did you mean 'F1'"):
        graph.fusion("F11")


def test_default_encoders_come_from_the_modalities() -> None:
    modalities = [Modality("scan", "image2d", (1, 8, 8)), Modality("note", "text", (9,)), Modality("words", "text", (9, 4))]
    graph = FusionGraph.parse("other = scan | note; F1 = cat(other@L, note@L, words@1, scan@1) ->", modalities)
    assert {stream.name: stream.encoder for stream in graph.streams} == {"other": "cnn", "note": "text_cnn", "words": "tcn", "scan": "cnn"}


BAD = [
    ("a:mlp | b:mlp\nF1 = cat(a@1, b@5) ->", "F1 reads b@5: depth out of range, its encoder mlp has stages 0 to 2", "b@5"),
    ("a:mlp | b:mlp\nF1 = catt(a@1, b@1) ->", "unknown operator 'catt': did you mean 'cat'?", "catt"),
    ("a:mlp | b:mlp\nF1 = cat(a@1, F2@0)\nF2 = cat(b@1, F1@1) ->", "makes a cycle: F1 <- F2 <- F1", "F1@1"),
    ("a:mlp | b:mlp\nF1 = cat(a@1, b@1)\nF2 = sum(a@1, b@1) ->", "F1 is unused", "F1 ="),
    ("a:mlp | b:mlp | c:mlp\nF1 = cat(a@1, b@1) ->", "stream 'c' is unused", "c:mlp"),
    ("a:mlp | b:mlp\nF1 = cat(a@1, bb@1) ->", "'bb' is no stream, fusion or modality: did you mean 'b'?", "bb@1"),
    ("a:mlp | b:mlp\nF1 = cat(a@1, a@2) ->", "F1 covers only the stream 'a'", "F1 ="),
    ("a:mlp | b:mlp\nF1 = cat(a@1) ->", "cat has 1 arguments, expected 2 or more", "F1 ="),
    ("a:mlp | b:mlp | c:mlp\nF1 = bilinear(a@1, b@1, c@1) ->", "bilinear has 3 arguments, expected 2", "F1 ="),
    ("a:mlp | b:mlp\nF1 = cat(a@1, b@1; alig=true) ->", "unknown parameter 'alig', did you mean 'align'?", "F1 ="),
    ("a:mlp(layer=3) | b:mlp\nF1 = cat(a@1, b@1) ->", "unknown parameter 'layer', did you mean 'layers'?", "a:mlp"),
    ("a:mlp(layers=9) | b:mlp\nF1 = cat(a@1, b@1) ->", "is 9, expected at most 8", "a:mlp"),
    ("a:mlp | b:mlp\nF1 = vote_mean(a@1, b@score) ->", "vote_mean joins class scores, so a@1 should be a@score", "a@1"),
    ("a:mlp | b:mlp\nF1 = cat(a@1, b@1; trunk=continue(a)) ->", "cat does not keep the shape", "F1 ="),
    ("a:mlp | b:mlp\nF1 = sum(a@1, b@1; trunk=continue(b)) ->", "needs 'b' as the first argument", "F1 ="),
    ("a:mlp | b:mlp\nF1 = sum(a@1, b@1)\nF2 = film(F1@0, b@2; trunk=continue(a)) ->", "needs 'a' as the first argument", "F2 ="),
    ("a:mlp | b:mlp\nF1 = sum(a@*, b@1; trunk=continue(a)) ->", "at a numbered depth", "F1 ="),
    ("a:mlp | b:mlp\nF1 = cat(a@1, b@1; trunk=fc:2)\nF2 = cat(F1@1, a@0) ->", "trunk=fc:2, but nothing reads F1 deeper than @1", "F1 ="),
    ("a:mlp | b:mlp\nF1 = cat(a@1, b@1; trunk=fc:1)\nF2 = cat(F1@2, a@0) ->", "its trunk has stages 0 to 1", "F1@2"),
    ("a:mlp | b:mlp\nF1 = cat(a@1, b@1)\nF2 = cat(F1.a@0, b@1) ->", "reads port 'a' of 'F1', which has no ports", "F1.a"),
    ("a:mlp | b:mlp\nF1 = mmtm(a@1, b@1)\nF2 = cat(F1.c@0, b@1) ->", "reads port 'c' of F1: expected one of: a, b", "F1.c"),
    ("a:mlp | b:mlp\nF1 = mmtm(a@1, b@1)\nF2 = cat(F1.3@0, b@1) ->", "which has ports 1 to 2", "F1.3"),
    ("a:mlp | b:mlp\nF1 = mmtm(a@1, b@1; trunk=continue(b))\nF2 = cat(F1.a@1, b@1) ->", "only port 'b' goes on", "F1.a"),
    ("a:mlp | b:mlp\nF1 = cat(a@1, F2@score)\nF2 = cat(a@1, b@1) ->", "only a stream has @score", "F2@score"),
    ("a:identity | b:mlp\nF1 = cat(a@*, b@1) ->", "its encoder has no stages: write a@0", "a@*"),
    ("a:mlp | b:mlp\nF1 = cat(a@1, b@1) ->\na@1 -> aux", "output a@1: expected a@L or a@score", "a@1 -> aux"),
    ("a:mlp | b:mlp\nF1 = cat(a@1, b@1) ->\nF1 ->", "output F1@0 stands there twice", "F1 ->"),
    ("a:mlp | b:mlp\ntrain = independent\nF1 = cat(a@1, b@score) ->", "expected class scores, a@score", "train"),
    ("a:mlp\ntrain = staged\na@L ->", "a design without fusions trains jointly", "train"),
    ("a:mlp\ntrain = convex\na@L ->", "a has stages: expected raw values", "train"),
    ("a:identity | b:identity\ntrain = convex\nF1 = cat(a@0, b@0; trunk=fc:1) ->", "F1 has stages", "train"),
    ("a:identity | b:identity\ntrain = convex\nF1 = sum(a@0, b@0) ->", "expected one 'cat' of raw values", "train"),
    ("a:identity | b:identity\ntrain = convex\nF1 = cat(a@score, b@score) ->", "not of class scores", "train"),
    ("a:mlp | b:mlp(layers=3, tie=a)\nF1 = cat(a@1, b@1) ->", "its parameters differ", "b:mlp"),
    ("a:mlp | b:mlp(tie=d)\nF1 = cat(a@1, b@1) ->", "is tied to 'd', which is no other stream", "b:mlp"),
    ("a:mlp | b:mlp(tie=a) | c:mlp(tie=b)\nF1 = cat(a@1, b@1, c@1) ->", "which is tied itself: tie both to 'a'", "c:mlp"),
    ("a:mlp | a:mlp\na@L ->", "two streams are called 'a'", "a:mlp"),
    ("a:mlp | b:mlp\na = cat(a@1, b@1) ->", "two parts are called 'a'", None),
    ("a:mlp | b:mlp\na@L ->\nb@L ->", "no output covers every stream", "a@L"),
    ("a:mlp | b:mlp\nF1 = cat(a@1, b@1)", "no output: mark one with '->'", None),
]


@pytest.mark.parametrize(("text", "message", "place"), BAD)
def test_broken_rules_are_shown_in_the_formula(text: str, message: str, place: str | None) -> None:
    with pytest.raises(FormulaError) as caught:
        FusionGraph.parse(text)
    assert message in str(caught.value)
    if place is not None:
        assert caught.value.column is not None
        assert caught.value.text[caught.value.column :].startswith(place)


def test_ties_need_the_same_kind_and_encoder() -> None:
    modalities = [Modality("a", "tabular", (4,)), Modality("b", "image2d", (1, 8, 8)), Modality("c", "tabular", (5,))]
    with pytest.raises(FormulaError, match="has encoder 'cnn', expected 'mlp'"):
        FusionGraph.parse("a:mlp | b:cnn(tie=a)\nF1 = cat(a@1, b@1) ->", modalities)
    with pytest.raises(FormulaError, match=r"'c' is tabular \(5,\), expected tabular \(4,\)"):
        FusionGraph.parse("a:mlp | c:mlp(tie=a)\nF1 = cat(a@1, c@1) ->", modalities)


def test_errors_without_a_formula_are_design_errors() -> None:
    with pytest.raises(DesignError, match="does not read tabular"):
        FusionGraph(TABLES, (Stream("a", "a", "cnn"),), (), (Output(Tap("a", "L")),))
    with pytest.raises(DesignError, match="unknown modality 'aa'"):
        FusionGraph(TABLES, (Stream("a", "aa", "mlp"),), (), (Output(Tap("a", "L")),))
    with pytest.raises(DesignError, match="train = jont: did you mean 'joint'"):
        FusionGraph(TABLES, (Stream("a", "a", "mlp"),), (), (Output(Tap("a", "L")),), "jont")  # type: ignore[arg-type]  # the point
    with pytest.raises(DesignError, match="two modalities have the same name"):
        FusionGraph((*TABLES, TABLES[0]), (Stream("a", "a", "mlp"),), (), (Output(Tap("a", "L")),))
