"""What becomes of a design as it is written; that it computes the same is a law of the networks (test_one_function_one_digest)."""

from __future__ import annotations

import pytest
from hypothesis import given
from strategies import graphs, law

from fusearch.data.modality import Modality
from fusearch.search_space import FusionGraph
from fusearch.search_space.design.normal_form import normal_form
from fusearch.search_space.design.resolution import resolve

MODALITIES = [
    Modality("a", "tabular", (5,)),
    Modality("b", "tabular", (4,)),
    Modality("i", "image2d", (1, 16, 16)),
    Modality("s", "timeseries", (12, 2)),
]


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("a:mlp(layers=3) | b; F1 = cat(a@1, b@0) ->", "a:mlp(layers=1) | b:identity; F1 = cat(a@1, b@0) ->"),
        (
            "a:mlp(layers=3) | b; train = staged; F1 = cat(a@1, b@0) ->",
            "a:mlp(layers=3) | b:identity; train = staged; F1 = cat(a@1, b@0) ->",
        ),
        ("a | b; train = frozen; F1 = cat(a@0, b@0) ->", "a:identity | b:identity; F1 = cat(a@0, b@0) ->"),
        ("a:mlp3 | b:mlp4; F1 = cat(a@2, b@4) ->", "a:mlp2 | b:mlp4; F1 = cat(a@2, b@4) ->"),
        ("a | b; F1 = cross_attention(a@2, b@2; heads=1) ->", "a:mlp | b:mlp; F1 = cross_attention(a@2, b@2) ->"),
        ("a | i; F1 = cross_attention(a@2, i@3; heads=1) ->", "a:mlp | i:cnn; F1 = cross_attention(a@2, i@3; heads=1) ->"),
        ("a | b; F1 = cat(a@2, b@2; align=1) ->", "a:mlp | b:mlp; F1 = cat(a@2, b@2) ->"),
        ("a | i; F1 = cat(a@2, i@L; align=1) ->", "a:mlp | i:cnn; F1 = cat(a@2, i@L) ->"),
        ("i:cnn(pool=attention) | a; F1 = cat(i@3, a@2) ->", "i:cnn | a:mlp; F1 = cat(i@3, a@2) ->"),
        ("i:flatten | a:flatten; F1 = cat(i@0, a@0) ->", "i:flatten | a:identity; F1 = cat(i@0, a@0) ->"),
        ("a | b; F1 = cat(a@2, b@2); F2 = cat(F1@0, a@1) ->", "a:mlp | b:mlp; F2 = cat(a@2, b@2, a@1) ->"),
        (
            "i | s; F1 = cat(i@1, s@2; align=1); F2 = cat(F1@0, s@1) ->",
            "i:cnn(stages=1) | s:tcn(stages=2); F1 = cat(i@1, s@2; align=true); F2 = cat(F1@0, s@1) ->",
        ),
        (
            "i | s; F1 = sum(i@1, s@2); F2 = sum(F1@0, s@1) ->",
            "i:cnn(stages=1) | s:tcn(stages=2); F1 = sum(i@1, s@2); F2 = sum(F1@0, s@1) ->",
        ),
        (
            "i | a; F1 = film(i@1, a@2; trunk=continue(i)); F2 = cat(F1@0, i@L) ->",
            "i:cnn | a:mlp; F1 = film(i@1, a@2); F2 = cat(F1@0, i@L) ->",
        ),
        ("a:mlp(layers=1) | i:cnn(stages=1); F1 = cat(a@*, i@*) ->", "a:mlp(layers=1) | i:cnn(stages=1); F1 = cat(a@1, i@L) ->"),
        ("a:mlp | i:cnn(stages=1, pool=attention); F1 = cat(a@*, i@*) ->", "a:mlp | i:cnn(stages=1); F1 = cat(a@*, i@L) ->"),
        ("a@score -> risk", "a:mlp; a@L -> risk"),
    ],
)  # fmt: skip
def test_parts_that_change_nothing_are_left_out(written: str, normal: str) -> None:
    graph = FusionGraph.parse(written, MODALITIES)
    assert graph.formula == normal
    assert FusionGraph.parse(normal, MODALITIES) == graph
    assert FusionGraph.parse(normal, MODALITIES).digest == graph.digest


@law
@given(graphs())
def test_a_graph_has_its_normal_form(graph: FusionGraph) -> None:
    assert normal_form(resolve(graph.modalities, graph.streams, graph.fusions, graph.outputs, graph.training)) is None


def test_a_kind_that_is_not_known_is_not_simplified() -> None:
    guessed = FusionGraph.parse("x:identity | y:identity; F1 = cat(x@0, y@0; align=true) ->")
    assert "align=true" in guessed.formula
    tables = [Modality("x", "tabular", (3,)), Modality("y", "tabular", (4,))]
    assert "align" not in FusionGraph.parse(guessed.formula, tables).formula
