"""One function, one digest (decision 0028): designs of one digest compute the same, designs of two digests do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pytest
import torch
from strategies import MODALITIES, WIDE

from fusearch.data.modality import Modality
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.search_space import FusionGraph, Recipe, SearchSpace
from fusearch.search_space.design import graph as graph_module
from fusearch.search_space.space.choosers import RandomChooser
from fusearch.search_space.space.counting import all_parts
from fusearch.search_space.space.program import Parts, build, draw_parts

TABLES = [Modality("a", "tabular", (5,)), Modality("b", "tabular", (4,)), Modality("c", "tabular", (3,))]
RECIPE = Recipe(width=8, dropout=0.0)
SETTINGS = SearchSpace(TABLES).settings


def parsed(*texts: str) -> Iterator[tuple[str, list[Modality]]]:
    modalities = [*TABLES, Modality("i", "image2d", (1, 8, 8)), Modality("s", "timeseries", (12, 2))]
    for text in texts:
        yield text, modalities


def given(text: str, modalities: list[Modality], monkeypatch: pytest.MonkeyPatch) -> FusionGraph:
    """Build a design as it is written, without its normal form."""
    with monkeypatch.context() as patch:
        patch.setattr(graph_module, "normal_form", lambda _: None)
        return FusionGraph.parse(text, modalities)


def outputs(network: FusionNetwork, graph: FusionGraph, seed: int = 0) -> list[torch.Tensor]:
    """Of eight samples, of which some lack a modality."""
    generator = torch.Generator().manual_seed(seed)
    inputs = {modality.name: torch.randn(8, *modality.shape, generator=generator) for modality in graph.modalities}
    present = {name: torch.rand(8, generator=generator) < 0.7 for name in inputs}
    with torch.no_grad():
        result = network.eval().run(inputs, present)
    return [result.main, *result.auxiliary]


def assert_same_function(written: FusionGraph, normal: FusionGraph) -> None:
    """Compile both, copy the weights, compare."""
    torch.manual_seed(0)
    first, second = FusionNetwork(written, 3, RECIPE), FusionNetwork(normal, 3, RECIPE)
    for parameter in first.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    weights, wanted = first.state_dict(), second.state_dict()
    assert wanted.keys() <= weights.keys()
    second.load_state_dict({name: weights[name] if weights[name].shape == value.shape else value for name, value in wanted.items()})
    for one, other in zip(outputs(first, written), outputs(second, normal), strict=True):
        torch.testing.assert_close(one, other)


WRITTEN = [
    "a:mlp(layers=3) | b:mlp; F1 = cat(a@1, b@0) ->",
    "a:mlp4 | b:mlp3; F1 = cat(a@2, b@1) ->",
    "a:ft_transformer(blocks=3, heads=2) | b:ft_transformer(blocks=2); F1 = cat(a@1, b@2) ->",
    "a | b | c; F1 = cat(a@1, b@1); F2 = cat(F1@0, c@1; trunk=fc:1) ->",
    "a | b | c; F1 = sum(a@1, b@1); F2 = sum(F1@0, c@2) ->",
    "a | b | c; F1 = product(a@1, b@1); F2 = product(F1@0, c@2) ->",
    "a | b | c; F1 = max(a@1, b@1); F2 = max(c@2, F1@0) ->",
    "a | b | c; F1 = cat(b@1, c@0); F2 = film(a@1, F1@0) ->",
    "a | b | c; F1 = cat(b@1, c@0); F2 = input_gate(a@1, F1@0) ->",
    "a | b | c; F1 = cat(b@1, c@0); F2 = channel_gate(a@1, F1@0) ->",
    "a | b | c; F1 = cat(b@1, c@0); F2 = dynamic_mlp(a@1, F1@0) ->",
    "a | b | c; F1 = cat(b@1, c@0); F2 = gated_cat(a@1, F1@0) ->",
    "a | b; F1 = cross_attention(a@1, b@1; heads=2) ->",
    "a | b; F1 = co_attention(a@1, b@1; heads=1) ->",
    "a | b; F1 = cat(a@1, b@1; align=1) ->",
    "i:cnn(stages=3) | a; F1 = cat(i@2, a@1; align=1) ->",
    "i:cnn(stages=3, pool=attention) | a; F1 = cat_tokens(i@2, a@1) ->",
    "i:cnn(stages=3, pool=attention) | s:tcn(pool=attention); F1 = cat(i@L, s@L) ->",
    "i:cnn(stages=3) | s:gru; F1 = sum(i@1, s@1; trunk=continue(i)); F2 = cat(F1@1, s@0) ->",
    "i | s; F1 = cat(i@1, s@1); F2 = cat(F1@0, a@1) ->",
    "a:flatten | i:flatten; F1 = cat(a@0, i@0) ->",
    "a:mlp(layers=3) | b; train = frozen; F1 = cat(a@0, b@0) ->",
    "a@score ->",
    "a | b; F1 = cat(a@1, b@1) ->; a@score -> aux",
    "a:mlp(layers=1) | i:cnn(stages=1); F1 = cat(a@*, i@*) ->",
    "x = a:mlp(layers=3) | y = a:mlp(tie=x); F1 = cat(x@1, y@2) ->",
]


@pytest.mark.parametrize(("text", "modalities"), list(parsed(*WRITTEN)), ids=WRITTEN)
def test_the_normal_form_computes_the_same(text: str, modalities: list[Modality], monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same_function(given(text, modalities, monkeypatch), FusionGraph.parse(text, modalities))


def unsimplified(space: SearchSpace, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> FusionGraph:
    with monkeypatch.context() as patch:
        patch.setattr(graph_module, "normal_form", lambda _: None)
        return build(space.settings, parts)


@pytest.mark.parametrize("space", [WIDE, SearchSpace(TABLES, operators="all"), SearchSpace(MODALITIES)], ids=["wide", "tables", "default"])
def test_what_is_drawn_and_its_normal_form_compute_the_same(space: SearchSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        parts = draw_parts(space.settings, RandomChooser(rng))
        assert_same_function(unsimplified(space, parts, monkeypatch), build(space.settings, parts))


@torch.no_grad()
def function_of(graph: FusionGraph) -> torch.Tensor:
    """What a design computes where all weights of one shape are alike, so that names do not matter."""
    network = FusionNetwork(graph, 3, RECIPE)
    for parameter in network.parameters():
        generator = torch.Generator().manual_seed(hash(tuple(parameter.shape)) % 2**31)
        parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return torch.cat(outputs(network, graph))


SPACES = [
    SearchSpace(TABLES[:2], operators=["cat", "sum", "product", "gated_unit"], max_fusions=1),
    SearchSpace(TABLES[:2], operators=["cat", "cross_attention", "film", "low_rank"], max_fusions=1),
    SearchSpace(TABLES[:2], operators=["cat", "sum", "product", "gated_unit"], max_fusions=2, max_trunk=0, encoders=["mlp(layers=1)"]),
]


@pytest.mark.parametrize("space", SPACES, ids=["calibration", "attention", "two fusions"])
def test_two_digests_are_two_functions(space: SearchSpace) -> None:
    """All designs of a space: the same numbers from the same weights would be one function twice."""
    designs = {graph.digest: graph for graph in (build(space.settings, parts) for parts in all_parts(space.settings, limit=5_000))}
    assert space.size().exact == len(designs)
    alike: dict[tuple[int, ...], list[tuple[str, torch.Tensor]]] = defaultdict(list)
    for graph in designs.values():
        values = function_of(graph)
        alike[tuple(values.shape)].append((graph.formula, values))
    twins = [(one, other) for group in alike.values() for (one, x), (other, y) in combinations(group, 2) if torch.allclose(x, y, atol=1e-6)]
    assert not twins
