"""Streams of a design, and a stream alone."""

from __future__ import annotations

import pytest
import torch
from toy_data import TABLES

from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.evaluators.network.stream_runs import StreamNetwork, Streams, taps_of
from fusearch.search_space import FusionGraph, Recipe

RECIPE = Recipe(width=8, dropout=0.0)


def parse(text: str) -> FusionGraph:
    return FusionGraph.parse(text, modalities=TABLES)


def test_taps_are_what_fusions_and_outputs_read() -> None:
    graph = parse("a:mlp | b:mlp\nF1 = cat(a@1, b@*)\nF2 = cat(F1@0, a@score) ->\nb@L -> aux")
    assert taps_of(graph) == {"a": {1, "score"}, "b": {"*", "score"}}


def test_shapes_of_taps() -> None:
    streams = Streams(parse("a:mlp | b:mlp\nF1 = cat(a@1, a@score, b@*) ->"), {}, 3, RECIPE)
    assert streams.shape(("a", 1)) == TokenShape(1, 8)
    assert streams.shape(("a", "score")) == TokenShape(1, 3, classes=True)
    assert streams.shape(("b", "*")) == TokenShape(1, 16)


@pytest.mark.parametrize(("taps", "depth"), [("a@0", 0), ("a@1", 1), ("a@L", 2), ("a@score", 2), ("a@*", 2)])
def test_an_encoder_is_as_deep_as_something_reads_it(taps: str, depth: int) -> None:
    assert len(Streams(parse(f"F1 = cat({taps}, b@L) ->"), {}, 2, RECIPE).encoder_of("a").stages) == depth


def test_an_encoder_is_as_deep_as_a_trunk_continues_it() -> None:
    graph = parse("F1 = film(a@1, b@L; trunk=continue(a)) ->")
    assert len(Streams(graph, {"a": 2}, 2, RECIPE).encoder_of("a").stages) == 2


def test_a_lender_that_nothing_reads_gives_its_weights_and_no_state() -> None:
    graph = parse("x = a:mlp | y = a:mlp(tie=x) | b:mlp\nF1 = cat(y@L, b@L) ->")
    streams = Streams(graph, {}, 2, RECIPE)
    rows = {"a": torch.randn(2, 4), "b": torch.randn(2, 3)}
    present = {name: torch.ones(2, dtype=torch.bool) for name in rows}
    assert list(streams(rows, present)) == [("y", 2), ("b", 2)]


def test_scores_of_an_absent_stream_are_the_bias_of_its_head() -> None:
    streams = Streams(parse("F1 = cat(a@score, b@L) ->"), {}, 2, RECIPE).eval()
    rows = {"a": torch.randn(2, 4), "b": torch.randn(2, 3)}
    streams.heads["stream_a"].linear.reset_parameters()
    states = streams(rows, {"a": torch.tensor([True, False]), "b": torch.ones(2, dtype=torch.bool)})
    bias = streams.heads["stream_a"].linear.bias
    torch.testing.assert_close(states["a", "score"][1, 0], bias)
    assert not torch.allclose(states["a", "score"][0, 0], bias)


def test_a_design_takes_over_as_much_of_a_trained_stream_as_it_has() -> None:
    graph = parse("a:mlp(layers=3) | b:mlp\nF1 = cat(a@1, b@score) ->")
    streams = Streams(graph, {}, 2, RECIPE).eval()
    for name in ("a", "b"):
        streams.load(name, StreamNetwork(graph, name, 2, RECIPE))
    alone = StreamNetwork(graph, "a", 2, RECIPE).eval()
    streams.load("a", alone)
    raw = torch.randn(2, 4)
    encoder = streams.encoder_of("a")
    torch.testing.assert_close(encoder.stage(1, encoder.tokens(raw)), alone.encoder.stage(1, alone.encoder.tokens(raw)))
    assert len(encoder.stages) == 1


def test_a_stream_alone_gives_the_scores_of_the_design_s_stream() -> None:
    graph = parse("F1 = cat(a@score, b@L) ->")
    streams, alone = Streams(graph, {}, 2, RECIPE).eval(), StreamNetwork(graph, "a", 2, RECIPE).eval()
    alone.head.linear.reset_parameters()
    streams.load("a", alone)
    rows = {"a": torch.randn(2, 4), "b": torch.randn(2, 3)}
    present = {name: torch.ones(2, dtype=torch.bool) for name in rows}
    torch.testing.assert_close(streams(rows, present)["a", "score"][:, 0], alone(rows["a"]))


def test_a_raw_stream_without_scores_has_nothing_to_train() -> None:
    streams = Streams(parse("a:identity | b:mlp\nF1 = cat(a@0, b@L) ->"), {}, 2, RECIPE)
    assert not streams.trained("a")
    assert streams.trained("b")
