from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from strategies import MODALITIES, WIDE

from fusearch.data.modality import Modality
from fusearch.evaluators.network.untrained import never_trained
from fusearch.evaluators.tasks import TaskLayer, bind_task
from fusearch.search_space import DEFAULT_OPERATORS, OPERATORS, Candidate, FusionGraph, Recipe, SearchSpace
from fusearch.tasks.classification import Classification

TABLES = [Modality(name, "tabular", (5,)) for name in ("a", "b", "c")]
TARGETS = np.arange(30) % 3


def task() -> TaskLayer:
    return bind_task(Classification("y", ("x", "y", "z"))).fit(TARGETS)


def dead(text: str) -> tuple[str, ...]:
    graph = FusionGraph.parse(text, [*TABLES, Modality("i", "image2d", (1, 6, 6)), Modality("s", "timeseries", (5, 2))])
    return never_trained(Candidate(graph, Recipe(width=8)), task(), TARGETS)[0]


def test_one_vector_attends_to_one_vector() -> None:
    """A softmax over one key is one, so that no gradient reaches what makes query and key."""
    found = dead("a | b; F1 = cross_attention(a@1, b@1) ->")
    assert {name.split(".")[-2] for name in found} == {"query", "key"}
    assert dead("a | b | c; F1 = cross_attention(a@1, b@1, c@1) ->") == ()
    assert dead("a | i; F1 = cross_attention(a@1, i@1) ->") == ()


def test_what_only_a_loss_reads_is_trained() -> None:
    assert dead("a | b; F1 = shared_private(a@1, b@1); F2 = cat(F1@1, a@2) ->") == ()
    assert dead("a | b; F1 = contrastive(a@1, b@1) ->") == ()


def test_a_head_at_zero_is_no_reason() -> None:
    assert dead("a; a@L ->") == ()


SPACES = {
    "tables": SearchSpace(TABLES, operators="all", trunks=("fc", "conv", "rnn", "attention", "continue")),
    "default": SearchSpace(MODALITIES),
    "default of tables": SearchSpace(TABLES),
    "wide": WIDE,
    "sources twice": SearchSpace(TABLES[:2], operators="all", max_streams=2, extras=("ports", "source_twice")),
    "small images": SearchSpace(
        [Modality("i", "image2d", (1, 8, 8)), TABLES[0]], encoders=["cnn", "mlp"], operators="all", trunks=("fc", "rnn", "attention")
    ),
}


PORTS = [operator.name for operator in OPERATORS.values() if operator.ports]


@pytest.mark.parametrize("operator", PORTS)
def test_a_result_that_nothing_reads_is_not_made(operator: str) -> None:
    """Whichever results of an operator with one per argument are read, every weight that is left gets a gradient."""
    names = "xyz" if OPERATORS[operator].takes(3) else "xy"
    head = "x = i:cnn(stages=1) | y = s:tcn(stages=1)" + (" | z = a:mlp" if len(names) > 2 else "")
    read = [one for size in range(1, len(names)) for one in combinations(names, size)]
    found = {}
    for few in read:
        join = f"F1 = {operator}({', '.join(f'{name}@1' for name in names)})"
        found[few] = dead(f"{head}; {join}; F2 = cat({', '.join(f'F1.{name}@1' for name in few)}, a@1) ->")
    assert found == dict.fromkeys(read, ())


@pytest.mark.parametrize("name", SPACES)
def test_every_parameter_of_a_drawn_design_can_be_trained(name: str) -> None:
    space, layer = SPACES[name], task()
    rng = np.random.default_rng(0)
    drawn: Counter[str] = Counter()
    for _ in range(40):
        candidate = space.sample(rng)
        small = Candidate(candidate.graph, Recipe(width=8))
        found, named = never_trained(small, layer, TARGETS)
        assert not found, f"{candidate.graph}\n{len(found)} of {named}: {found}"
        drawn.update(fusion.operator for fusion in candidate.graph.fusions)
    assert len(drawn) > 8


def test_every_operator_is_offered_somewhere() -> None:
    rng = np.random.default_rng(0)
    drawn = {fusion.operator for _ in range(2000) for fusion in SearchSpace(TABLES).sample(rng).graph.fusions}
    assert drawn == set(DEFAULT_OPERATORS) - {"cross_attention"} | ({"cross_attention"} & drawn)
    assert "cross_attention" in drawn  # of three tables, one over the two others
    assert OPERATORS["cross_attention"].works((False, True))
    assert not OPERATORS["cross_attention"].works((True, False))
