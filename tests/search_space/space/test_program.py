from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given
from strategies import MODALITIES, SMALL, WIDE, drawn_graphs, law

from fusearch.data.modality import Modality
from fusearch.errors import FormulaError
from fusearch.search_space import OPERATORS, FusionGraph, SearchSpace
from fusearch.search_space.space.choosers import RandomChooser

PAIRS_ONLY = SearchSpace(MODALITIES, operators=["bilinear", "vote_mean"], max_fusions=2)
ODD_NAMES = SearchSpace([Modality(name, "tabular", (3,)) for name in ("F1", "f1", "operator", "late")], max_streams=2)
SPACES = [SMALL, WIDE, PAIRS_ONLY, ODD_NAMES, SearchSpace(MODALITIES, operators=["stacking"]), SearchSpace(MODALITIES[:1])]


class OfferingChooser(RandomChooser):
    """Notes the choices offered under every name."""

    def __init__(self, rng: np.random.Generator, offers: dict[str, set[Any]]) -> None:
        super().__init__(rng)
        self._offers = offers

    def pick(self, key: str, choices: Any, name: str = "", **weights: Any) -> Any:
        if len(choices) > 1:
            self._offers[name or key].add(tuple(choices))
        return super().pick(key, choices, name, **weights)

    def whole(self, key: str, low: int, high: int) -> int:
        self._offers[key].add((low, high))
        return super().whole(key, low, high)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_no_name_is_ever_offered_with_two_lists_of_choices(space: SearchSpace) -> None:
    offers: dict[str, set[Any]] = defaultdict(set)
    rng = np.random.default_rng(0)
    for _ in range(500):
        space._run(OfferingChooser(rng, offers))
    assert {name: lists for name, lists in offers.items() if len(lists) > 1} == {}
    assert not any("/" in name for name in offers)


@law
@given(drawn_graphs(PAIRS_ONLY))
def test_operators_of_two_arguments_still_join_three_streams(graph: FusionGraph) -> None:
    assert all(len(fusion.args) == 2 for fusion in graph.fusions if fusion.operator == "bilinear")


@law
@given(drawn_graphs(WIDE))
def test_operators_get_what_they_need(graph: FusionGraph) -> None:
    kinds = {modality.name: modality.kind for modality in graph.modalities}
    for fusion in graph.fusions:
        first = fusion.args[0]
        if OPERATORS[fusion.operator].needs_grid and first.source in {stream.name for stream in graph.streams}:
            assert kinds[graph.stream(first.source).modality] not in ("tabular", "graph")
        assert len({arg.source for arg in fusion.args}) == len(fusion.args)


def test_everything_that_is_switched_on_is_drawn() -> None:
    rng = np.random.default_rng(0)
    graphs = [WIDE.sample(rng).graph for _ in range(1200)]
    fusions = [fusion for graph in graphs for fusion in graph.fusions]
    assert {fusion.operator for fusion in fusions} == set(OPERATORS)
    assert {fusion.trunk.family for fusion in fusions} == {"fc", "conv", "rnn", "attention", "continue"}
    assert {graph.training for graph in graphs} == {"joint", "staged", "frozen", "independent"}
    assert {graph.labels.level for graph in graphs} == {"unimodal", "early", "intermediate", "joint-late", "late"}
    assert {graph.labels.type for graph in graphs} >= {"none", "sudden", "gradual"}
    assert {len(graph.fusions) for graph in graphs} == {0, 1, 2, 3, 4}
    assert {stream.encoder for graph in graphs for stream in graph.streams} == {
        *("mlp", "ft_transformer", "mlp1", "cnn", "tcn", "gru"),
        "identity",  # what is left of an encoder of which no stage is read
    }
    assert any(output.task == "aux" for graph in graphs for output in graph.outputs)
    assert any(arg.depth == "*" for fusion in fusions for arg in fusion.args)
    assert any(len({stream.modality for stream in graph.streams}) < len(graph.streams) for graph in graphs)


def test_defaults_draw_nothing_that_is_not_asked_for() -> None:
    rng = np.random.default_rng(0)
    graphs = [SMALL.sample(rng).graph for _ in range(500)]
    assert {fusion.trunk.family for graph in graphs for fusion in graph.fusions} == {"fc"}
    assert {graph.training for graph in graphs} == {"joint", "independent"}
    assert all(len(graph.outputs) == 1 for graph in graphs)


@pytest.mark.parametrize("sampler", [optuna.samplers.RandomSampler(seed=0), optuna.samplers.TPESampler(seed=0, n_startup_trials=5)])
def test_optuna_runs_the_program(sampler: optuna.samplers.BaseSampler) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=sampler)
    for _ in range(40):
        trial = study.ask()
        candidate = WIDE.suggest(trial)
        assert WIDE.decode(trial.params).digest == candidate.digest
        assert WIDE.encode(WIDE.decode(trial.params)).keys() <= trial.params.keys() | WIDE.encode(candidate).keys()
        study.tell(trial, float(len(candidate.graph.fusions)))


def test_a_queued_design_comes_back_from_optuna() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    rng = np.random.default_rng(0)
    for _ in range(30):
        candidate = WIDE.sample(rng)
        study.enqueue_trial(WIDE.encode(candidate))
        trial = study.ask()
        assert WIDE.suggest(trial) == candidate
        assert trial.params == WIDE.encode(candidate)
        study.tell(trial, 0.0)


def test_no_trunk_goes_on_from_codes() -> None:
    """A first stage looks codes of symbols up, so that no gradient passes it: a trunk goes on from a later state only."""
    text = Modality("note", "text", (9,))
    space = SearchSpace((text, MODALITIES[0]), operators=["sum", "film"], trunks=("fc", "continue"), max_fusions=2)
    rng = np.random.default_rng(0)
    graphs = [space.sample(rng).graph for _ in range(300)]
    goes_on = [(graph, fusion.name) for graph in graphs for fusion in graph.fusions if fusion.trunk.stream == "note"]
    behind = {found[1] for graph, name in goes_on if (found := graph.continued(name)) is not None}
    assert behind == {1, 2}
    with pytest.raises(FormulaError, match=r"continue\(note\) goes on from codes of symbols: expected note@1 or deeper"):
        FusionGraph.parse("F1 = film(note@0, rna@1; trunk=continue(note)) ->", space.modalities)
