from __future__ import annotations

import pytest
import torch

from fusearch.data.modality import Modality
from fusearch.errors import DesignError
from fusearch.evaluators import FusionNetwork
from fusearch.evaluators.cost import count_parameters
from fusearch.evaluators.network.outputs import bind_outputs
from fusearch.search_space import FusionGraph, Recipe

TABLES = (Modality("a", "tabular", (3,)), Modality("b", "tabular", (2,)))
TASKS = {"died": slice(0, 2), "age": slice(2, 3), "signs": slice(3, 5)}


def graph(formula: str) -> FusionGraph:
    return FusionGraph.parse(formula, modalities=TABLES)


def test_an_output_gives_its_task_and_the_main_one_the_rest() -> None:
    binding = bind_outputs(graph("F1 = cat(a@L, b@L) -> age; F2 = sum(a@L, b@L) ->; a@score -> aux"), 5, TASKS)
    assert binding.columns == ((2,), (0, 1, 3, 4), (0, 1, 2, 3, 4))
    assert binding.auxiliary == (2,)
    main = binding.main_of([torch.tensor([[2.0]]), torch.tensor([[0.0, 1.0, 3.0, 4.0]]), torch.zeros(1, 5)])
    assert main.tolist() == [[0.0, 1.0, 2.0, 3.0, 4.0]]


def test_with_one_task_every_other_output_is_auxiliary_whatever_its_name() -> None:
    binding = bind_outputs(graph("F1 = cat(a@L, b@L) ->; a@score -> died"), 2, {})
    assert (binding.columns, binding.auxiliary) == (((0, 1), (0, 1)), (1,))


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("F1 = cat(a@L, b@L) -> dead", "did you mean 'died'"),
        ("F1 = cat(a@L, b@L) -> died", "no output gives age, signs"),
        ("F1 = cat(a@L, b@L) -> died; F2 = sum(a@L, b@L) -> died; F2 ->", "has an output already"),
    ],
)
def test_outputs_that_do_not_give_each_task_once_are_refused(formula: str, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        bind_outputs(graph(formula), 5, TASKS)


def test_names_of_outputs_make_another_design_and_a_head_holds_what_it_gives() -> None:
    designs = [graph(f"F1 = cat(a@L, b@L) {name}; F2 = sum(a@L, b@L) ->") for name in ("-> aux", "-> died", "-> age")]
    assert len({design.digest for design in designs}) == 3
    sizes = [count_parameters(FusionNetwork(design, 5, Recipe(), tasks=TASKS)) for design in designs]
    assert sizes[0] > max(sizes[1:])


def test_scores_of_a_stream_give_the_columns_of_their_task() -> None:
    network = FusionNetwork(graph("a@score -> died; F1 = cat(a@L, b@L) ->"), 5, Recipe(dropout=0.0), tasks=TASKS)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    inputs, present = {"a": torch.randn(4, 3), "b": torch.randn(4, 2)}, {name: torch.ones(4, dtype=torch.bool) for name in "ab"}
    said = network.run(inputs, present)
    assert said.main.shape == (4, 5)
    assert torch.equal(said.main[:, :2], said.scores["a"][:, :2])
