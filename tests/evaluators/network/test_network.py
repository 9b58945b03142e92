"""Every valid graph compiles: laws over drawn graphs, and what single designs compute."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from installed import need_streams
from strategies import HAND_MADE, WIDE, candidates
from torch import Tensor, nn
from toy_tasks import class_task

from fusearch.data.modality import Modality
from fusearch.errors import DesignError
from fusearch.evaluators.cost import count_parameters
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.operator_layer import Losses
from fusearch.search_space import OPERATORS, FusionGraph, Recipe
from fusearch.search_space.published import PUBLISHED, published_design

#: Modalities of the designs written by hand.
HAND_MODALITIES = (
    Modality("a", "tabular", (5,)),
    Modality("b", "tabular", (5,)),
    Modality("us", "image2d", (1, 6, 6)),
    Modality("mfi", "image2d", (1, 6, 6)),
)
RECIPE = Recipe(width=8)
ROWS = 5


def compile_(graph: FusionGraph, outputs: int = 3, recipe: Recipe = RECIPE) -> FusionNetwork:
    """Compile a design, and move its heads away from zero, where every answer would be the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = FusionNetwork(graph, outputs, recipe)
        for head in (*network.heads, *network.streams.heads.values()):
            head.linear.reset_parameters()
        return network


def parse(text: str) -> FusionGraph:
    return FusionGraph.parse(text, modalities=HAND_MODALITIES)


def rows_of(graph: FusionGraph, rows: int = ROWS) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    inputs = {modality.name: torch.randn(rows, *modality.shape, generator=generator) for modality in graph.modalities}
    return inputs, {name: torch.ones(rows, dtype=torch.bool) for name in inputs}


def unread_results(graph: FusionGraph) -> set[str]:
    """Names of the fusions of which some result is never read: their layers hold weights for it."""
    read: dict[str, set[int]] = {fusion.name: set() for fusion in graph.fusions if OPERATORS[fusion.operator].ports}
    for fusion in graph.fusions:
        for index, tap in enumerate(fusion.args):
            if tap.source in read:
                read[tap.source] |= set(graph.ports_read(fusion.name, index))
    for index, output in enumerate(graph.outputs):
        if output.source.source in read:
            read[output.source.source] |= set(graph.ports_of_output(index))
    return {name for name, ports in read.items() if len(ports) < len(graph.fusion(name).args)}


def check_laws(graph: FusionGraph) -> None:
    network = compile_(graph)
    inputs, present = rows_of(graph)
    losses = Losses(torch.tensor([0, 1, 2, 0, 1]), class_task(3))
    output = network.run(inputs, present, losses)
    assert output.main.shape == (ROWS, 3)
    assert len(output.auxiliary) == len(graph.outputs) - 1

    # Every parameter gets a gradient; only layers with a result that nothing reads may hold some that do not.
    total = output.main.pow(2).sum() + sum(scores.pow(2).sum() for scores in output.auxiliary) + losses.total()
    total.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
    unread = tuple(f"joins.fusion_{name}.layer." for name in unread_results(graph))
    dead = [name for name, value in network.named_parameters() if value.grad is None and not name.startswith(unread or ("-",))]
    assert dead == []

    network.eval()
    with torch.no_grad():
        # No sample sees another one.
        order = torch.tensor([3, 1, 4, 0, 2])
        shuffled = network({name: x[order] for name, x in inputs.items()}, {name: mask[order] for name, mask in present.items()})
        torch.testing.assert_close(shuffled, network(inputs, present)[order], atol=1e-4, rtol=1e-4)
        # Without any one modality it still answers, and what stands in its place does not matter.
        for name, x in inputs.items():
            masks = {**present, name: torch.zeros(ROWS, dtype=torch.bool)}
            answer = network(inputs, masks)
            assert answer.isfinite().all()
            torch.testing.assert_close(network({**inputs, name: 5 * x - 1}, masks), answer, atol=1e-4, rtol=1e-4)


@settings(max_examples=40, deadline=None)
@given(candidates(WIDE))
def test_every_drawn_graph_obeys_the_laws(candidate: object) -> None:
    check_laws(candidate.graph)  # type: ignore[attr-defined]  # a Candidate


@pytest.mark.parametrize("text", HAND_MADE)
def test_designs_written_by_hand_obey_the_laws(text: str) -> None:
    check_laws(parse(text))


@pytest.mark.parametrize("number", list(PUBLISHED))
def test_published_designs_obey_the_laws(number: int) -> None:
    design = published_design(number)
    need_streams(design)
    check_laws(design)


class TestLinearModel:
    def test_cat_of_raw_tables_is_logistic_regression(self) -> None:
        graph = parse("F1 = cat(a@0, b@0) ->")
        network = compile_(graph, 2)
        assert count_parameters(network) == 10 * 2 + 2
        inputs, present = rows_of(graph)
        (linear,) = [module for module in network.modules() if isinstance(module, nn.Linear)]
        torch.testing.assert_close(network(inputs, present), linear(torch.cat([inputs["a"], inputs["b"]], dim=1)))

    def test_one_raw_table_is_too(self) -> None:
        assert count_parameters(compile_(parse("a:identity\na@L ->"), 2)) == 5 * 2 + 2


class TestHeads:
    @pytest.mark.parametrize("text", ["F1 = cat(a@0, b@0) ->", "a:mlp\na@L ->", "F1 = vote_mean(a@score, b@score) ->"])
    def test_outputs_start_at_even_odds(self, text: str) -> None:
        graph = parse(text)
        answer = FusionNetwork(graph, 3, RECIPE)(*rows_of(graph)).softmax(dim=1)
        torch.testing.assert_close(answer, torch.full((ROWS, 3), 1 / 3))

    def test_scores_that_are_multiplied_do_not_start_at_zero(self) -> None:
        graph = parse("F1 = product(a@score, b@score) ->")
        network = FusionNetwork(graph, 3, RECIPE)
        output = network.run(*rows_of(graph))
        assert output.scores["a"].abs().min() > 0


class TestParameters:
    def test_stages_that_nothing_reads_are_not_there(self) -> None:
        shallow, deep = (compile_(parse(f"a:mlp(layers=3) | b:mlp\nF1 = cat(a@{depth}, b@L) ->")) for depth in (1, 3))
        stage = 8 * 8 + 8 + 2 * 8
        assert count_parameters(deep) - count_parameters(shallow) == 2 * stage

    def test_heads_of_streams_exist_where_scores_are_read(self) -> None:
        assert list(compile_(parse("F1 = cat(a@score, b@L) ->")).streams.heads) == ["stream_a"]

    def test_tied_streams_share_their_weights(self) -> None:
        tied = compile_(parse("x = a:mlp | y = b:mlp(tie=x)\nF1 = cat(x@L, y@L) ->"))
        free = compile_(parse("x = a:mlp | y = b:mlp\nF1 = cat(x@L, y@L) ->"))
        assert count_parameters(free.streams) == 2 * count_parameters(tied.streams)
        assert tied.streams.encoder_of("x") is tied.streams.encoder_of("y")

    def test_two_streams_of_one_modality_do_not(self) -> None:
        network = compile_(parse("x = a:mlp | y = a:mlp\nF1 = cat(x@L, y@L) ->"))
        assert network.streams.encoder_of("x") is not network.streams.encoder_of("y")

    def test_a_continued_trunk_applies_the_stream_s_own_stages(self) -> None:
        graph = parse("a:mlp(layers=3) | b:mlp\nF1 = film(a@1, b@2; trunk=continue(a)) ->")
        network = compile_(graph).eval()
        assert "fusion_F1" in network.joins
        assert not list(network.join("F1").trunks.parameters())
        inputs, present = rows_of(graph)
        encoder = network.streams.encoder_of("a")
        joined = network.join("F1").layer(
            [encoder.stage(1, encoder.tokens(inputs["a"])), network.streams(inputs, present)["b", 2]], [present["a"]] * 2
        )
        expected = network.heads[0](encoder.stage(3, encoder.stage(2, joined)))
        torch.testing.assert_close(network(inputs, present), expected)

    def test_a_copy_continues_with_its_own_weights(self) -> None:
        graph = parse("a:mlp(layers=2) | b:mlp\nF1 = film(a@1, b@2; trunk=continue(a)) ->")
        network = compile_(graph).eval()
        inputs, present = rows_of(graph)
        before = network(inputs, present)
        twin = copy.deepcopy(network)
        with torch.no_grad():
            for parameter in twin.parameters():
                parameter.add_(1.0)
        torch.testing.assert_close(network(inputs, present), before)
        assert not torch.allclose(twin(inputs, present), before)


class TestStates:
    def test_each_stage_is_computed_once(self) -> None:
        graph = parse("a:mlp(layers=3) | b:mlp\nF1 = cat(a@1, b@1)\nF2 = cat(a@1, a@3, F1@0)\nF3 = cat(a@score, a@*, F2@0, b@1) ->")
        network = compile_(graph)
        calls: list[str] = []
        for name, stage in network.streams.named_modules():
            if name.count(".") == 3:
                stage.register_forward_hook(lambda *_, name=name: calls.append(name))
        network(*rows_of(graph))
        assert sorted(calls) == sorted(set(calls))
        assert len(calls) == 3 + 1 + 0  # three stages of a, the one of b that is read

    def test_all_stages_are_their_means_side_by_side(self) -> None:
        graph = parse("a:ft_transformer | b:mlp\nF1 = cat(a@*, b@1) ->")
        network = compile_(graph).eval()
        inputs, present = rows_of(graph)
        encoder = network.streams.encoder_of("a")
        states = [encoder.tokens(inputs["a"])]
        for index in (1, 2, 3):
            states.append(encoder.stage(index, states[-1]))
        expected = torch.cat([state.mean(dim=1, keepdim=True) for state in states[1:]], dim=2)
        torch.testing.assert_close(network.streams(inputs, present)["a", "*"], expected)
        assert network.streams.shape(("a", "*")).width == 24

    def test_ports_without_a_name_are_all_results_side_by_side(self) -> None:
        network = compile_(parse("F1 = co_attention(a@1, b@1)\nF2 = cat(F1@0, us@L) ->"))
        assert network.join("F2").layer.out.width == 8 + 8 + 8

    def test_a_fusion_is_there_where_any_of_its_modalities_is(self) -> None:
        graph = parse("F1 = sum(a@0, b@0)\nF2 = sum(F1@0, us@L) ->")
        network = compile_(graph).eval()
        inputs, present = rows_of(graph)
        present["b"] = torch.zeros_like(present["b"])
        moved = {**inputs, "a": inputs["a"] + 1}
        with torch.no_grad():
            assert not torch.allclose(network(inputs, present), network(moved, present))
            nothing = {**present, "a": present["b"]}
            assert torch.equal(network(inputs, nothing), network(moved, nothing))

    def test_dropout_is_the_recipe_s_in_streams_and_trunks(self) -> None:
        network = FusionNetwork(parse("F1 = cat(a@L, us@L; trunk=fc:1) ->"), 3, Recipe(width=8, dropout=0.3))
        for part in (network.streams.encoders["stream_a"], network.streams.encoders["stream_us"], network.joins):
            found = [module.p for module in part.modules() if isinstance(module, nn.Dropout | nn.Dropout2d)]
            assert found
            assert set(found) == {0.3}

    def test_a_decision_is_the_output_itself(self) -> None:
        graph = parse("F1 = vote_mean(a@score, b@score) ->\ntrain = independent")
        network = compile_(graph).eval()
        assert len(network.heads) == 0
        output = network.run(*rows_of(graph))
        mean = (output.scores["a"].softmax(dim=1) + output.scores["b"].softmax(dim=1)) / 2
        torch.testing.assert_close(output.main.softmax(dim=1), mean)

    def test_the_main_output_is_that_of_the_graph(self) -> None:
        graph = parse("F1 = cat(a@1, b@1) ->\na@score -> aux")
        output = compile_(graph).eval().run(*rows_of(graph))
        torch.testing.assert_close(output.auxiliary[0], output.scores["a"])
        assert not torch.allclose(output.main, output.scores["a"])

    def test_the_main_output_need_not_be_the_first(self) -> None:
        graph = parse("F1 = cat(a@1, b@1) -> aux\nF2 = cat(F1@0, us@L) ->")
        assert graph.outputs[0] != graph.main_output
        network = compile_(graph).eval()
        inputs, present = rows_of(graph)
        before, after = network.run(inputs, present), network.run({**inputs, "us": inputs["us"] + 1}, present)
        assert not torch.allclose(before.main, after.main)
        torch.testing.assert_close(before.auxiliary[0], after.auxiliary[0])


def test_a_modality_without_a_shape_is_refused() -> None:
    with pytest.raises(DesignError, match="modality 'a' has no shape"):
        compile_(FusionGraph.parse("a:mlp\na@L ->"))


def test_names_of_torch_s_own_attributes_are_legal_streams() -> None:
    names = ("forward", "keys", "training", "type")
    graph = FusionGraph.parse(
        f"F1 = cat({', '.join(f'{name}@L' for name in names)}) ->", modalities=tuple(Modality(name, "tabular", (2,)) for name in names)
    )
    assert compile_(graph)(*rows_of(graph)).shape == (ROWS, 3)
