"""The ensemble strategies: what they train, what they decide on, and that they never see the test split."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusearch.data import Dataset, load_data
from fusearch.errors import RunError, SpaceError, UnknownNameError
from fusearch.evaluators import TrainingEvaluator
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search.ensembles import SubsetRules, SubsetSearch, choose_subset
from fusearch.search.strategies import LateEnsemble, ParetoEnsemble, Result
from fusearch.search.strategies.unimodal import collect_predictions, unimodal_streams
from fusearch.search_space import FusionGraph, Recipe, SearchSpace

#: Makes an evaluator that takes no time.
Drawn = Callable[..., Any]
ENCODERS = {"mean": ["mlp1"], "error": ["mlp1"], "worst": ["mlp1", "mlp2"]}


def search(space: SearchSpace, evaluator: Any, out: Path, strategy: Any, **settings: Any) -> Run:
    return run_search(
        space,
        evaluator,
        objectives=["accuracy", "parameters"],
        out=out,
        strategy=strategy,
        executor="inline",
        **{"reference_share": 0, **settings},
    )


def decision_of(run: Run) -> dict[str, Any]:
    return json.loads((run.path / "strategy.json").read_text())


@pytest.mark.parametrize(
    ("strategy", "operator", "training"), [(ParetoEnsemble(), "cat", "staged"), (LateEnsemble(), "vote_majority", "independent")]
)
def test_it_trains_each_network_once_then_the_chosen_ones_joined(
    space: SearchSpace, drawn: Drawn, tmp_path: Path, strategy: ParetoEnsemble, operator: str, training: str
) -> None:
    evaluator = drawn()
    run = search(space, evaluator, tmp_path / "run", strategy)
    *alone, joined = evaluator.calls
    assert [candidate.graph.streams[0].name for candidate in alone] == [stream.name for stream in unimodal_streams(space)]
    told = decision_of(run)
    assert run.status()["state"] == "finished"
    assert told["strategy"] == strategy.name
    assert told["candidate"] == told["chosen"]["candidate"] == joined.digest

    graph = joined.graph
    assert [stream.name for stream in graph.streams] == told["subsets"]["chosen"]["members"]
    assert (graph.fusions[0].operator, graph.training) == (operator, training)
    assert {tap.depth for tap in graph.fusions[0].args} == {"score"}
    by_name = {candidate.graph.streams[0].name: candidate.digest for candidate in alone}
    assert joined.start == tuple(by_name[stream.name] for stream in graph.streams)
    assert evaluator.kept_in == tmp_path / "run" / "weights"
    assert (len(graph.streams) % 2 == 1) or operator == "cat"

    results = [Result(candidate, {}, evaluator(candidate, None, None).arrays) for candidate in alone]
    expected = choose_subset(collect_predictions(unimodal_streams(space), results), strategy.subsets)
    assert told["subsets"]["chosen"]["members"] == list(expected.chosen)


def test_the_cloud_of_all_subsets_is_kept(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    run = search(space, drawn(), tmp_path / "run", "pareto-ensemble")
    told = decision_of(run)["subsets"]
    with np.load(tmp_path / "run" / "strategy.npz") as cloud:
        assert len(cloud["evaluation"]) == len(cloud["diversity"]) == told["subsets"] == 14 * 14
        chosen = int(cloud["chosen"])
        assert cloud["evaluation"][chosen] == pytest.approx(told["chosen"]["evaluation"])
        assert len(cloud["front"]) == len(told["front"])


def test_a_network_that_fails_is_left_out_and_told(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    evaluator = drawn(fails={"mlp2": "no memory"})
    told = decision_of(search(space, evaluator, tmp_path / "run", "pareto-ensemble"))
    failed = [network for network in told["networks"] if network["reason"] is not None]
    assert [network["name"] for network in failed] == ["rna_mlp2", "meth_mlp2"]
    assert all("no memory" in network["reason"] and network["accuracy"] is None for network in failed)
    assert not any("mlp2" in name for name in told["subsets"]["chosen"]["members"])


def test_one_chosen_network_is_not_trained_again(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    """With one required modality a single network can win where diversity does not vary."""
    strategy = ParetoEnsemble(SubsetSearch(SubsetRules(required=("rna",), max_per_modality=1)), {"rna": ["mlp1"], "meth": ["mlp1"]})
    evaluator = drawn(fails={"identity": "never asked for"})
    told = decision_of(search(space, evaluator, tmp_path / "run", strategy))
    if len(told["subsets"]["chosen"]["members"]) == 1:
        assert len(evaluator.calls) == 2
        assert FusionGraph.parse(told["chosen"]["formula"]).labels.level == "unimodal"
    else:
        assert len(evaluator.calls) == 3


def test_what_cannot_end_well_is_refused_before_anything_is_written(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown strategy 'pareto-ensembel': did you mean 'pareto-ensemble'"):
        search(space, drawn(), tmp_path / "run", "pareto-ensembel")
    with pytest.raises(RunError, match=r"goes on from trained weights, but evaluator function has no `keeping\(folder\)`"):
        search(space, lambda candidate, budget, report: {"accuracy": 1.0}, tmp_path / "run", "pareto-ensemble")
    with pytest.raises(UnknownNameError, match="unknown diversity 'kapa': did you mean 'kappa'"):
        search(space, drawn(), tmp_path / "run", ParetoEnsemble(SubsetSearch(diversity="kapa")))
    with pytest.raises(SpaceError, match="no subset of the 2 unimodal networks keeps the rules"):
        search(space, drawn(), tmp_path / "run", LateEnsemble(encoders={"rna": ["mlp1"], "meth": ["mlp1"]}))
    regression = drawn()
    regression.objectives = lambda: frozenset({"rmse", "parameters"})
    with pytest.raises(RunError, match="needs a classification task: the evaluator does not compute 'accuracy'"):
        run_search(space, regression, objectives=["parameters"], out=tmp_path / "run", strategy="pareto-ensemble", executor="inline")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("strategy", [ParetoEnsemble, LateEnsemble])
def test_the_test_split_changes_nothing(tmp_path: Path, strategy: type[ParetoEnsemble]) -> None:
    """The same search on the same train and validation rows, with test rows and test labels that are garbage, decides the same."""
    data = load_data("wisconsin")
    test = data.split_of == "test"
    assert test.sum() > 20
    rng = np.random.default_rng(0)
    spoiled = {name: np.where(test[:, None], rng.normal(size=values.shape) * 1e3, values) for name, values in data.raw.items()}
    settings = {"splits": data.split_of, "ids": data.ids}
    as_it_is = Dataset.from_arrays("data", modalities=data.raw, targets=data.targets, **settings)
    other = Dataset.from_arrays("data", modalities=spoiled, targets=np.where(test, 1 - data.targets, data.targets), **settings)
    assert other.fingerprint != as_it_is.fingerprint
    told = []
    for name, each in (("as_it_is", as_it_is), ("spoiled", other)):
        evaluator = TrainingEvaluator(each, folds=2, epochs=2)
        decision = decision_of(
            search(SearchSpace(each.modalities), evaluator, tmp_path / name, strategy(encoders=ENCODERS, recipe=Recipe(width=8)))
        )
        decision["chosen"]["values"].pop("train_seconds")
        told.append(decision)
    assert told[0] == told[1]


def test_a_joined_network_trained_from_kept_weights(tmp_path: Path) -> None:
    data = load_data("wisconsin")
    run = search(
        SearchSpace(data.modalities), TrainingEvaluator(data, folds=2, epochs=3), tmp_path / "run", ParetoEnsemble(encoders=ENCODERS)
    )
    told = decision_of(run)
    (record,) = [record for record in run.records() if record.candidate == told["candidate"]]
    alone = [record for record in run.records() if not FusionGraph.parse(record.formula).fusions]
    assert len(alone) == 4
    assert record.details["start"] == [
        next(network["candidate"] for network in told["networks"] if network["name"] == name)
        for name in told["subsets"]["chosen"]["members"]
    ]
    phases = set(record.details["best_epochs"])
    assert phases == {*told["subsets"]["chosen"]["members"], "fusion"}, "export refits by these"
