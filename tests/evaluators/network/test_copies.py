"""Networks that are copied are those that would have been built."""

from __future__ import annotations

import pytest
import torch
from few import few
from installed import need_encoders
from torch import Tensor, nn

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.evaluators.network.copies import Copies
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.search_space import ENCODERS, OPERATORS, FusionGraph, Recipe
from fusearch.testing.encoder_case import kind_shapes

TABLES = tuple(Modality(name, "tabular", (size,)) for name, size in zip("abcd", (4, 3, 5, 2), strict=True))
CAT = FusionGraph.parse("F1 = cat(a@L, b@L; trunk=fc:1) ->", modalities=TABLES)


def build(graph: FusionGraph, recipe: Recipe, seed: int) -> FusionNetwork:
    torch.manual_seed(seed)
    return FusionNetwork(graph, 3, recipe)


def check(graph: FusionGraph) -> int:
    """Compare networks of several seeds and two dropouts with those that are built; return how many were copied."""
    copies = Copies(lambda recipe: FusionNetwork(graph, 3, recipe))
    for seed, dropout in enumerate((0.1, 0.1, 0.1, 0.3, 0.3)):
        recipe = Recipe(width=8, dropout=dropout)
        torch.manual_seed(seed)
        ours, after = copies.make(recipe), torch.rand(1)
        theirs = build(graph, recipe, seed)
        assert torch.equal(after, torch.rand(1)), "what is drawn later hangs on it"
        assert str(ours) == str(theirs)  # with each dropout
        expected = theirs.state_dict()
        assert [*ours.state_dict()] == [*expected]
        for name, values in ours.state_dict().items():
            assert torch.equal(values, expected[name]), name
        assert [each.requires_grad for each in ours.parameters()] == [each.requires_grad for each in theirs.parameters()]
        torch.nn.init.constant_(next(ours.parameters()), 7.0)  # it is trained: the next ones know nothing of it
    return copies.num_copied


@pytest.mark.parametrize("operator", few(OPERATORS))
def test_every_operator(operator: str) -> None:
    entry = OPERATORS[operator]
    depth = "score" if entry.scores_only else "1"
    names = "abcd"[: max(entry.min_args, min(3, entry.max_args or 3))]
    text = f"{' | '.join(f'{name}:mlp' for name in names)}\nF1 = {operator}({', '.join(f'{name}@{depth}' for name in names)}) ->"
    assert check(FusionGraph.parse(text, modalities=TABLES)) == 2


@pytest.mark.parametrize("name", few(ENCODERS))
def test_every_encoder(name: str) -> None:
    need_encoders(name)
    kind = next(kind for kind in KINDS if ENCODERS[name].reads(kind))
    modalities = (Modality("x", kind, kind_shapes(kind)[1]), TABLES[1])
    graph = FusionGraph.parse(f"x:{name} | b:mlp\nF1 = cat(x@L, b@L) ->", modalities=modalities)
    recurrent = any(isinstance(layer, nn.RNNBase) for layer in build(graph, Recipe(width=8), 0).modules())
    assert check(graph) == (0 if recurrent else 2)  # torch's recurrent layers hold weak references to their weights


def test_what_is_drawn_and_thrown_away_moves_the_random_numbers_on() -> None:
    assert check(FusionGraph.parse("F1 = gated_cat(a@L, b@L)\nF2 = cat(F1@0, c@1; trunk=fc:1) ->\ntrain = staged", modalities=TABLES)) == 2


def test_ties_and_continued_trunks_are_those_of_the_copy() -> None:
    graph = FusionGraph.parse(
        "x = a:mlp | y = a:mlp(tie=x) | c:mlp(layers=3)\nF1 = film(c@1, x@L, y@L; trunk=continue(c)) ->", modalities=TABLES
    )
    assert check(graph) == 2
    copies = Copies(lambda recipe: FusionNetwork(graph, 3, recipe))
    one, _, three, four = (copies.make(Recipe(width=8)) for _ in range(4))
    rows = {each.name: torch.randn(5, *each.shape) for each in TABLES}, {each.name: torch.ones(5, dtype=torch.bool) for each in TABLES}
    before = four(*rows)
    torch.nn.init.constant_(next(three.parameters()), 7.0)
    next(three.children()).register_forward_pre_hook(lambda *_: pytest.fail("a hook of another network"))
    assert torch.equal(four(*rows), before)
    assert not {id(part) for part in three.modules()} & {id(part) for network in (one, four) for part in network.modules()}


class Odd(nn.Module):
    """Draws its start by other means than torch's operations in place, or holds what changes."""

    def __init__(self, start: Tensor | None = None, held: object = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3) if start is None else start)
        self.held = held


class Counter:
    """Something that changes."""


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(lambda: Odd(start=torch.randn(3) * 2), id="a result of a draw"),
        pytest.param(lambda: Odd(held=Counter()), id="an object"),
        pytest.param(lambda: Odd(start=torch.full((3,), torch.rand(()).item())), id="a number that was waited for"),
    ],
)
def test_what_cannot_be_copied_is_built(odd) -> None:
    def make(recipe: Recipe) -> FusionNetwork:
        network = FusionNetwork(CAT, 3, recipe)
        network.streams.odd = odd()
        return network

    copies = Copies(make)
    for seed in range(5):
        torch.manual_seed(seed)
        ours = copies.make(Recipe(width=8))
        torch.manual_seed(seed)
        theirs = make(Recipe(width=8)).state_dict()
        for name, values in ours.state_dict().items():
            assert torch.equal(values, theirs[name]), name
    assert copies.num_copied == 0
