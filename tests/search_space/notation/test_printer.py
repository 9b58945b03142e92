from __future__ import annotations

import pytest

from fusearch.search_space import FusionGraph


@pytest.mark.parametrize(
    "text",
    [
        "a:mlp\na@L ->",
        "a:mlp\na@L -> risk",
        "x = a:mlp(layers=3) | b:mlp\ntrain = frozen\nF1 = sum(x@1, b@2; trunk=continue(x)) ->",
        "a:mlp(layers=1) | b:mlp\nF1 = cat(a@1, b@2; trunk=conv)\nF2 = low_rank(F1@2, a@0; rank=8, trunk=rnn:1) -> grade\nF1 -> stage",
        "a:mlp(layers=1) | b:mlp\nF1 = cat(a@1, b@2)\nF2 = sum(F1@0, b@1) ->\nF1 -> early\nb@L -> aux",
        "a:mlp(layers=1) | b:mlp\nF1 = mmtm(a@1, b@2; emit=gates)\nF2 = cat(a@1, F1.b@0) ->\nF1.a ->",
        "a:mlp(layers=1) | b:mlp\nF1 = difference(a@1, b@2; absolute=true) ->",
        "x = a:mlp | y = a:mlp(tie=x)\nF1 = cat(x@*, y@score) ->",
    ],
)
def test_canonical_texts_are_printed_as_they_stand(text: str) -> None:
    assert str(FusionGraph.parse(text)) == text


def test_the_one_line_form() -> None:
    text = "a:mlp(layers=1) | b:cnn(stages=1); F1 = cat(a@1, b@1; align=true) ->"
    assert FusionGraph.parse(text).formula == text


def test_a_trunk_longer_than_its_consumers_ask_for_is_printed_at_an_output() -> None:
    graph = FusionGraph.parse("a:mlp | b:mlp\nF1 = cat(a@1, b@1; trunk=fc:2) ->\nF2 = cat(F1@1, a@0) ->")
    assert "trunk=fc:2" in str(graph)
    assert FusionGraph.parse(str(graph)) == graph
