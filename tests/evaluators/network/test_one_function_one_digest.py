"""One function, one digest (decision 0028): designs of one digest compute the same, designs of two digests do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from zlib import crc32

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
    modalities = [*TABLES, Modality("i", "image2d", (1, 8, 8)), Modality("j", "image2d", (1, 8, 8)), Modality("s", "timeseries", (12, 2))]
    for text in texts:
        yield text, modalities


def given(text: str, modalities: list[Modality], monkeypatch: pytest.MonkeyPatch) -> FusionGraph:
    """Build a design as it is written, without its normal form."""
    with monkeypatch.context() as patch:
        patch.setattr(graph_module, "normal_form", lambda _: None)
        return FusionGraph.parse(text, modalities)


def outputs(network: FusionNetwork, graph: FusionGraph, seed: int = 0) -> list[torch.Tensor]:
    """Of eight samples, of which some lack a modality."""
    inputs, present = {}, {}
    for modality in graph.modalities:
        generator = torch.Generator().manual_seed(seed + crc32(modality.name.encode()))
        inputs[modality.name] = torch.randn(8, *modality.shape, generator=generator)
        present[modality.name] = torch.rand(8, generator=generator) < 0.7
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


def function_of(graph: FusionGraph) -> torch.Tensor:
    """What a design computes where all weights of one shape are alike, so that names do not matter."""
    return function_and_size(graph)[0]


@torch.no_grad()
def function_and_size(graph: FusionGraph) -> tuple[torch.Tensor, int]:
    """Return what a design computes, as `function_of`, and how many weights it has."""
    network = FusionNetwork(graph, 3, RECIPE)
    for parameter in network.parameters():
        generator = torch.Generator().manual_seed(hash(tuple(parameter.shape)) % 2**31)
        parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return torch.cat(outputs(network, graph)), sum(parameter.numel() for parameter in network.parameters())


#: Two spellings of one function, and then two functions, each of which was once taken for the other.
TWINS = [
    ("F1 = difference(a@1, b@2; absolute=1) ->", "F1 = difference(b@2, a@1; absolute=1) ->"),
    ("F1 = difference(a@0, b@0; absolute=1) ->", "F1 = difference(b@0, a@0; absolute=1) ->"),
    ("F1 = difference(a@0, i@1; absolute=1) ->", "F1 = difference(i@1, a@0; absolute=1) ->"),
    ("F1 = cat_tokens(i@1, j@1) ->", "F1 = cat_tokens(j@1, i@1) ->"),
    ("F1 = cat_tokens(i@1, j@1; trunk=attention:1) ->", "F1 = cat_tokens(j@1, i@1; trunk=attention:1) ->"),
    ("F1 = cat_tokens(a@1, b@1); F2 = sum(F1@1, c@1) ->", "F1 = cat_tokens(b@1, a@1); F2 = sum(F1@1, c@1) ->"),
    ("F1 = cat_tokens(i@1, j@1); F2 = cross_attention(a@1, F1@0) ->", "F1 = cat_tokens(j@1, i@1); F2 = cross_attention(a@1, F1@0) ->"),
    ("F1 = cat_tokens(i@1, j@1); F2 = film(F1@0, a@1; trunk=fc:1) ->", "F1 = cat_tokens(j@1, i@1); F2 = film(F1@0, a@1; trunk=fc:1) ->"),
    ("F1 = max(a@1, a@1, b@1) ->", "F1 = max(a@1, b@1) ->"),
    ("F1 = max(a@1, b@1, a@1, b@1, b@1) ->", "F1 = max(a@1, b@1) ->"),
    ("F1 = max(a@0, a@0, i@1) ->", "F1 = max(a@0, i@1) ->"),
    ("F1 = sum(a@1, b@1); F2 = max(F1@0, F1@0); F3 = cat(F2@0, c@1) ->", "F1 = sum(a@1, b@1); F3 = cat(F1@0, c@1) ->"),
    ("F1 = max(a@score, b@score, b@score) ->", "F1 = max(a@score, b@score) ->"),
    ("i:cnn(stages=2) | a; F1 = sum(i@2, a@1) ->", "i:cnn(stages=2) | a; F1 = sum(i@L, a@1) ->"),
    ("i:cnn(stages=2) | a; F1 = film(a@1, i@2; trunk=fc:1) ->", "i:cnn(stages=2) | a; F1 = film(a@1, i@L; trunk=fc:1) ->"),
    ("F1 = low_rank(i@3, a@0); F2 = film(b@1, F1@0) ->", "F1 = low_rank(i@L, a@0); F2 = film(b@1, F1@0) ->"),
    ("F1 = cat(i@3, a@1; align=1) ->", "F1 = cat(i@L, a@1) ->"),
    ("F1 = difference(a@1, i@3; trunk=fc:1) ->", "F1 = difference(a@1, i@L; trunk=fc:1) ->"),
    ("F1 = max(a@1, i@3; trunk=continue(a)) ->", "F1 = max(a@1, i@L; trunk=continue(a)) ->"),
    ("F1 = difference(i@3, a@0) ->", "F1 = difference(i@L, a@0) ->"),
    ("F1 = cat(a@1, b@1); F2 = sum(F1@0, c@1; trunk=fc:1) ->", "F1 = cat(a@1, b@1); F2 = sum(c@1, F1@0; trunk=fc:1) ->"),
    ("F1 = mean(a@1, a@1, b@1, b@1) ->", "F1 = mean(b@1, a@1) ->"),
    ("x = a:identity | y = a:identity; F1 = mean(x@0, y@0, y@0) ->", "a:identity; a@L ->"),
    ("F1 = cat(a@0, b@1); F2 = mean(F1@0, F1@0); F3 = film(c@1, F2@0) ->", "F1 = film(c@1, a@0, b@1) ->"),
    ("F1 = cross_attention(i@1, a@1, a@1, b@1, b@1) ->", "F1 = cross_attention(i@1, b@1, a@1) ->"),
    ("F1 = cat(a@*, b@1) ->", "F1 = cat(a@1, a@2, b@1) ->"),
    ("F1 = film(b@1, a@*) ->", "F1 = film(b@1, a@1, a@2) ->"),
    ("a:mlp(layers=1); F1 = low_rank(a@*, b@1) ->", "F1 = low_rank(a@1, b@1) ->"),
    ("F1 = mmtm(a@1, b@1) ->", "F1 = mmtm(a@1, b@1); F2 = cat(F1.a@0, F1.b@0) ->"),
    ("F1 = mmtm(i@1, j@1) ->", "F1 = mmtm(i@1, j@1); F2 = cat(F1.i@0, F1.j@0; align=1) ->"),
    ("F1 = misa(a@1, b@1); F2 = cat(F1@1, c@1) ->", "F1 = misa(a@1, b@1); F2 = cat(F1.a@1, F1.b@1, c@1) ->"),
    ("F1 = mmtm(a@1, b@1); F2 = low_rank(F1@0, c@1) ->", "F1 = mmtm(a@1, b@1); F2 = cat(F1.a@0, F1.b@0); F3 = low_rank(F2@0, c@1) ->"),
    ("F1 = mmtm(a@1, b@1); F2 = cat(F1.a@0, c@1); F3 = cat(F2@0, b@0) ->", "F1 = mmtm(a@1, b@1); F2 = cat(F1.a@0, c@1, b@0) ->"),
    ("F1 = cat(a@1, b@1) ->", "F1 = cat(a@1, b@1) -> grade"),
    ("x = a:identity | y = a:identity | b; F1 = cat(x@0, y@0, b@1) ->", "F1 = cat(a@0, a@0, b@1) ->"),
    ("x = a:mlp | y = a:identity | b; F1 = sum(x@1, b@1); F2 = cat(F1@1, y@0) ->", "F1 = sum(a@1, b@1); F2 = cat(F1@1, a@0) ->"),
    ("x = a:identity | y = a:identity | b; F1 = cat(x@score, y@0, b@1) ->", "a:identity | b; F1 = cat(a@score, a@0, b@1) ->"),
    ("x = a:mlp | y = a:mlp(tie=x) | b; F1 = product(x@1, y@1, b@1) ->", "F1 = product(a@1, a@1, b@1) ->"),
    ("x = i:cnn | y = j:cnn(tie=x); F1 = sum(x@1, y@2) ->", "y = j:cnn | x = i:cnn(tie=y); F1 = sum(x@1, y@2) ->"),
    ("x = i:cnn | y = j:cnn(tie=x); F1 = sum(y@1, a@2) ->", "F1 = sum(j@1, a@2) ->"),
    ("i:identity | a; F1 = cat(i@0, a@1) ->", "i:flatten | a; F1 = cat(i@0, a@1) ->"),
]
APART = [
    (
        "F1 = cat(a@1, b@1); F2 = cat(c@1, b@2); F3 = product(F1@0, F2@0) ->",
        "F1 = cat(b@1, a@1); F2 = cat(c@1, b@2); F3 = product(F1@0, F2@0) ->",
    ),
    ("F1 = difference(a@1, b@2) ->", "F1 = difference(b@2, a@1) ->"),
    ("F1 = cat_tokens(i@1, j@1; trunk=rnn:1) ->", "F1 = cat_tokens(j@1, i@1; trunk=rnn:1) ->"),
    ("F1 = cat_tokens(i@1, j@1); F2 = cat(F1@0, a@1; trunk=fc:1) ->", "F1 = cat_tokens(j@1, i@1); F2 = cat(F1@0, a@1; trunk=fc:1) ->"),
    ("F1 = cat_tokens(a@1, b@1); F2 = product(F1@0, i@3) ->", "F1 = cat_tokens(b@1, a@1); F2 = product(F1@0, i@3) ->"),
    ("F1 = mean(a@1, a@1, b@1) ->", "F1 = mean(a@1, b@1) ->"),
    ("F1 = sum(i@3, a@1; trunk=fc:1) ->", "F1 = sum(i@L, a@1; trunk=fc:1) ->"),
    ("F1 = sum(i@3, a@0) ->", "F1 = sum(i@L, a@0) ->"),
    ("F1 = max(i@3, a@1) ->", "F1 = max(i@L, a@1) ->"),
    ("i:cnn(pool=attention) | a; F1 = sum(i@3, a@1) ->", "i:cnn(pool=attention) | a; F1 = sum(i@L, a@1) ->"),
    ("F1 = sum(i@3, a@1); F2 = cat(F1@0, b@1) ->", "F1 = sum(i@L, a@1); F2 = cat(F1@0, b@1) ->"),
    ("F1 = sum(a@1, a@1, b@1) ->", "F1 = sum(a@1, b@1) ->"),
    ("F1 = cross_attention(i@1, a@1, a@1, b@1) ->", "F1 = cross_attention(i@1, a@1, b@1) ->"),
    ("F1 = cat(i@*, a@1) ->", "F1 = cat(i@1, i@2, i@3, a@1) ->"),
    ("F1 = mmtm(i@1, j@1) ->", "F1 = mmtm(i@1, j@1); F2 = cat(F1.i@0, F1.j@0) ->"),
    ("F1 = mmtm(a@1, b@1; trunk=fc:1) ->", "F1 = mmtm(a@1, b@1); F2 = cat(F1.a@0, F1.b@0; trunk=fc:1) ->"),
    (
        "F1 = mmtm(a@1, b@1); F2 = mmtm(F1.a@0, F1.b@0); F3 = cat(F2.1@0, c@1) ->",
        "F1 = mmtm(a@1, b@1); F2 = mmtm(F1.a@0, F1.b@0); F3 = cat(F2.2@0, c@1) ->",
    ),
    ("x = a:identity | y = a:identity | b; F1 = cat(x@score, y@score, b@1) ->", "a:identity | b; F1 = cat(a@score, a@score, b@1) ->"),
    ("x = a:mlp | y = a:mlp; F1 = cat(x@1, y@1, b@1) ->", "F1 = cat(a@1, a@1, b@1) ->"),
    ("x = i:cnn | y = j:cnn(tie=x); F1 = sum(x@1, y@2) ->", "F1 = sum(i@1, j@2) ->"),
    ("F1 = cat(a@1, b@1) ->; a@score -> aux", "F1 = cat(a@1, b@1) ->; a@score -> aux; a@score -> other"),
]


def written(text: str) -> FusionGraph:
    (found,) = parsed(text)
    return FusionGraph.parse(*found)


@pytest.mark.parametrize(("one", "other"), TWINS)
def test_two_spellings_of_one_function(one: str, other: str) -> None:
    first, second = written(one), written(other)
    assert first.digest == second.digest
    torch.testing.assert_close(function_of(first), function_of(second), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("one", "other"), APART)
def test_two_functions_that_look_alike(one: str, other: str) -> None:
    assert written(one).digest != written(other).digest


SPACES = [
    SearchSpace(TABLES[:2], operators=["cat", "sum", "product", "gated_unit"], max_fusions=1),
    SearchSpace(TABLES[:2], operators=["cat", "cross_attention", "film", "low_rank"], max_fusions=1),
    SearchSpace(TABLES[:2], operators=["cat", "sum", "product", "gated_unit"], max_fusions=2, max_trunk=0, encoders=["mlp(layers=1)"]),
    SearchSpace(
        TABLES[:2],
        operators=["cat", "max", "mean"],
        max_fusions=1,
        max_trunk=0,
        encoders={"a": ["mlp(layers=2)"], "b": ["identity"]},
        all_stages=True,
        scores=False,
        extras=["source_twice"],
    ),
    SearchSpace(
        [*TABLES[:2], Modality("i", "image2d", (1, 6, 6))],
        operators=["cat_tokens", "difference"],
        max_fusions=1,
        max_trunk=0,
        encoders={"a": ["mlp(layers=1)"], "b": ["mlp(layers=1)"], "i": ["cnn(stages=1, pool=mean)"]},
        scores=False,
        trainings=["joint"],
        extras=["argument_order"],
    ),
    SearchSpace(TABLES[:2], operators=["mmtm", "cat"], max_fusions=1, encoders=["mlp(layers=1)"], scores=False, extras=["ports"]),
    SearchSpace(
        TABLES[:2],
        operators=["cat", "sum"],
        max_fusions=2,
        max_trunk=0,
        encoders={"a": ["mlp(layers=1)"], "b": ["identity"]},
        scores=False,
        auxiliary=True,
        extras=["several_outputs"],
    ),
]


@pytest.mark.parametrize("space", SPACES, ids=["calibration", "attention", "two fusions", "repeats", "tokens", "ports", "outputs"])
def test_two_digests_are_two_functions(space: SearchSpace) -> None:
    """All designs of a space: the same numbers from the same weights would be one function twice, and one digest is one function."""
    spelled: dict[str, dict[str, FusionGraph]] = defaultdict(dict)
    for parts in all_parts(space.settings, limit=5_000):
        graph = build(space.settings, parts)
        spelled[graph.digest][graph.formula] = graph
    assert space.size().exact == len(spelled)
    alike: dict[tuple[int, ...], list[tuple[str, torch.Tensor]]] = defaultdict(list)
    for graph, *others in (list(graphs.values()) for graphs in spelled.values()):
        values, weights = function_and_size(graph)
        alike[weights, *values.shape].append((graph.formula, values))
        for other in others:
            torch.testing.assert_close(function_of(other), values, rtol=1e-4, atol=1e-4, msg=lambda text: f"{graph}\n{other}\n{text}")  # noqa: B023  # called at once
    twins = [(one, other) for group in alike.values() for (one, x), (other, y) in combinations(group, 2) if torch.allclose(x, y, atol=1e-6)]
    assert not twins
