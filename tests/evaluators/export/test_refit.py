from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from toy_data import make_data

from fusearch.data import Dataset, load_data
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.export.inputs import raw_values
from fusearch.evaluators.export.refit import refit
from fusearch.search_space import Candidate, FusionGraph, Recipe


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_data("wisconsin")


def candidate(data: Dataset, formula: str) -> Candidate:
    return Candidate(FusionGraph.parse(formula, modalities=data.modalities), Recipe(width=8))


def outputs(model: DeployedModel, data: Dataset, split: str) -> np.ndarray:
    used = [modality for modality in data.modalities if modality.name in model.modalities]
    with torch.no_grad():
        return model({name: torch.tensor(values) for name, values in raw_values(data, used, data.rows(split)).items()}).numpy()


def test_it_learns_from_train_and_val_and_repeats_itself(data: Dataset) -> None:
    design = candidate(data, "F1 = cat(mean@L, worst@L) ->")
    first, again = (refit(data, design, epochs={"fusion": 8}, seeds=2) for _ in range(2))
    assert first.modalities == ("mean", "worst")
    assert len(first.networks) == 2
    np.testing.assert_array_equal(outputs(first, data, "test"), outputs(again, data, "test"))
    assert (outputs(first, data, "test").argmax(axis=1) == data.targets[data.rows("test")]).mean() > 0.85
    weights = [next(network.parameters()) for network in first.networks]
    assert not torch.equal(*weights)


def test_the_test_split_changes_nothing(data: Dataset) -> None:
    test = data.rows("test")
    raw = {name: np.array(values) for name, values in data.raw.items()}
    targets = np.array(data.targets)
    for values in raw.values():
        values[test] = 1e6
    targets[test] = 1 - targets[test]
    spoilt = replace(data, raw=raw, targets=targets, fingerprint="")
    design = candidate(data, "F1 = cat(mean@0, worst@0) ->")
    expected, found = (outputs(refit(each, design, epochs={"fusion": 2}, seeds=1), data, "search") for each in (data, spoilt))
    np.testing.assert_array_equal(found, expected)
    withheld = outputs(refit(data.without_test(), design, epochs={"fusion": 2}, seeds=1), data, "search")
    np.testing.assert_array_equal(withheld, expected)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_train_and_val_are_one_to_it(task: str) -> None:
    """Rows that change sides change nothing: neither what is trained on, nor what imputation, scaling and the task are fitted on."""
    data = make_data(task=task)
    swapped = np.where(data.split_of == "test", "test", np.where(np.arange(len(data)) % 3, "val", "train"))
    assert (swapped != data.split_of).any()
    other = replace(data, split_of=swapped, fingerprint="")
    design = candidate(data, "F1 = cat(a@L, b@L) ->")
    models = [refit(each, design, epochs={"fusion": 2}, seeds=1) for each in (data, other)]
    np.testing.assert_array_equal(*(outputs(model, data, "search") for model in models))


@pytest.mark.parametrize("training", ["joint", "staged", "frozen"])
def test_each_phase_is_trained_for_its_own_number_of_epochs(data: Dataset, training: str) -> None:
    design = candidate(data, f"F1 = cat(mean@L, worst@L) ->\ntrain = {training}")
    short = {"mean": 1, "worst": 1, "fusion": 1}
    results = [outputs(refit(data, design, epochs=epochs, seeds=1), data, "test") for epochs in (short, short | {"fusion": 2})]
    assert not np.array_equal(*results)
    longer = outputs(refit(data, design, epochs=short | {"mean": 2}, seeds=1), data, "test")
    assert np.array_equal(longer, results[0]) == (training == "joint")


def test_the_size_of_a_batch_is_the_one_that_is_given() -> None:
    data = make_data()
    design = candidate(data, "F1 = cat(a@L, b@L) ->")
    small, large = (outputs(refit(data, design, epochs={"fusion": 1}, seeds=1, batch_size=size), data, "test") for size in (8, 64))
    assert not np.array_equal(small, large)


def test_a_regression_predicts_in_the_units_of_its_targets() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    data = Dataset.from_arrays("line", modalities={"x": x, "z": rng.normal(size=(200, 2))}, targets=500 + 40 * x[:, 0], task="regression")
    model = refit(
        data,
        Candidate(FusionGraph.parse("F1 = cat(x@0, z@0) ->", modalities=data.modalities), Recipe(learning_rate=0.03)),
        epochs={"fusion": 60},
    )
    errors = outputs(model, data, "test")[:, 0] - data.targets[data.rows("test")]
    assert np.abs(errors).mean() < 4


def solved_weights(data: Dataset, *, seeds: int = 1) -> list[torch.Tensor]:
    model = refit(data, candidate(data, "a:identity\ntrain = convex\na@L ->"), epochs={"fusion": 1}, seeds=seeds)
    modules = [module for network in model.networks for module in network.modules()]
    return [module.weight.detach() for module in modules if isinstance(module, torch.nn.Linear)]


def test_a_solved_model_is_solved_once_whatever_the_seeds() -> None:
    data = make_data()
    (one,), (same,) = solved_weights(data), solved_weights(data, seeds=3)
    assert torch.equal(one, same)
    trained = refit(data, candidate(data, "a:identity\na@L ->"), epochs={"fusion": 1}, seeds=3)
    assert len(trained.networks) == 3


def test_the_strength_of_a_solved_model_is_chosen_on_whole_groups() -> None:
    """All rows of a group are one point with one label, drawn by chance: held out by rows the points are known, by groups nothing is."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 6)
    tables = {"a": rng.normal(size=(40, 30))[groups], "b": rng.normal(size=(240, 2))}
    targets = rng.permutation(np.arange(40) % 2)[groups]
    norms = {}
    for name, each in {"groups": groups, "rows": None}.items():
        data = Dataset.from_arrays("d", modalities=tables, targets=targets, groups=each, splits=["train"] * 240)
        (weight,) = solved_weights(data)
        norms[name] = float(weight.norm())
    assert norms["groups"] < 0.2 * norms["rows"]


def test_rows_too_few_to_be_dealt_are_solved_with_a_strength_of_one() -> None:
    rng = np.random.default_rng(0)
    a, targets = rng.normal(size=(30, 3)), np.arange(30) % 2
    data = Dataset.from_arrays(
        "d", modalities={"a": a, "b": rng.normal(size=(30, 2))}, targets=targets, groups=np.arange(30) // 15, splits=["train"] * 30
    )
    (weight,) = solved_weights(data)
    scaled = data.fit_preprocessor(np.arange(30)).transform(data, np.arange(30))[0]["a"]
    expected = LogisticRegression(C=1.0, tol=1e-8).fit(scaled, targets).coef_[0]
    np.testing.assert_allclose((weight[1] - weight[0]).numpy(), expected, atol=1e-3)
