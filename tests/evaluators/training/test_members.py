"""Members of a design: which there are, what they share, what each gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from device_of_tests import DEVICE
from toy_data import make_data

from fusearch.data import Dataset
from fusearch.evaluators.training.member import Member, make_members
from fusearch.evaluators.training.members import FoldSamples, TrainedMember, prepare_fold, train_members
from fusearch.evaluators.training.optimization import Fit
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import Candidate, FusionGraph, Recipe

SETTINGS = TrainingSettings(epochs=3, batch_size=16)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return make_data()


@pytest.fixture(scope="module")
def folds(data: Dataset) -> list[FoldSamples]:
    return [prepare_fold(data, fold, device=DEVICE) for fold in data.folds(2)]


def candidate_of(data: Dataset, text: str = "F1 = cat(a@L, b@L) ->") -> Candidate:
    return Candidate(FusionGraph.parse(text, modalities=data.modalities), Recipe(width=8))


def train_all(data: Dataset, folds: list[FoldSamples], members: tuple[Member, ...], **kwargs: object) -> list[TrainedMember]:
    return list(train_members(candidate_of(data), members, folds=lambda index: folds[index], settings=SETTINGS, threads=1, **kwargs))


def test_each_member_has_random_numbers_of_its_own() -> None:
    assert len({member.stream for member in make_members(5, 20)}) == 100


def test_a_member_does_not_depend_on_those_before_it(data: Dataset, folds: list[FoldSamples]) -> None:
    alone = train_all(data, folds, (Member(1, 0),))[0]
    after = train_all(data, folds, (Member(0, 0), Member(1, 0)))[1]
    assert np.array_equal(alone.outputs, after.outputs)
    assert alone.metrics == after.metrics


def test_members_differ(data: Dataset, folds: list[FoldSamples]) -> None:
    first, second = train_all(data, folds, (Member(0, 0), Member(0, 1)))
    assert not np.array_equal(first.outputs, second.outputs)


def test_outputs_are_probabilities_of_the_held_out_rows(data: Dataset, folds: list[FoldSamples]) -> None:
    (trained,) = train_all(data, folds, (Member(0, 0),))
    assert trained.outputs.shape == (len(folds[0].fold.val), 2)
    np.testing.assert_allclose(trained.outputs.sum(axis=1), 1)
    assert set(trained.metrics) == set(data.task.metrics)
    assert trained.to_dict()["epochs"] == {"fusion": trained.fits["fusion"].best_epoch}


def test_scores_with_each_modality_missing_come_from_the_same_run(data: Dataset, folds: list[FoldSamples]) -> None:
    (trained,) = train_all(data, folds, (Member(0, 0),), missing=("a", "b", "c"))
    plain = train_all(data, folds, (Member(0, 0),))[0].metrics
    assert {name: trained.metrics[name] for name in plain} == plain
    assert trained.metrics["auroc_without.c"] == plain["auroc"]  # the design does not read `c`
    without = [trained.metrics[f"auroc_without.{name}"] for name in "abc"]
    assert trained.metrics["worst_missing_auroc"] == min(without)
    assert trained.metrics["worst_missing_log_loss"] == max(trained.metrics[f"log_loss_without.{name}"] for name in "abc")
    assert without[0] != plain["auroc"]


@pytest.mark.parametrize("training", ["joint", "staged", "frozen"])
@pytest.mark.parametrize("balance", [{}, {"class_weights": "balanced"}, {"sampling": "balanced"}, {"focal": 2.0}])
def test_epochs_are_chosen_by_the_loss_of_the_held_out_rows(training: str, balance: dict[str, Any]) -> None:
    """The loss that was kept is that of the outputs that are scored, with classes and samples as they count in training."""
    data = make_data(rows=200)
    keep = np.flatnonzero((data.targets == 0) | (np.arange(200) % 4 == 0))
    rare = Dataset.from_arrays("rare", modalities={name: data.raw[name][keep] for name in "abc"}, targets=data.targets[keep])
    fold = prepare_fold(rare, rare.folds(2)[0], device=DEVICE)
    graph = FusionGraph.parse(f"F1 = cat(a@L, b@L) ->\ntrain = {training}", modalities=rare.modalities)
    candidate = Candidate(graph, Recipe(width=8, **balance))
    (trained,) = train_members(candidate, (Member(0, 0),), folds=lambda _: fold, settings=SETTINGS, threads=1)
    counts = np.bincount(rare.targets[fold.fold.train])
    weights = (counts.sum() / (2 * counts) if "balanced" in balance.values() else np.ones(2))[fold.targets]
    chances = trained.outputs[np.arange(len(fold.targets)), fold.targets]
    told = -np.log(chances) * (1 - chances) ** balance.get("focal", 0)
    assert trained.fits["fusion"].loss == pytest.approx((weights * told).sum() / weights.sum(), rel=1e-5)


def test_preprocessing_does_not_see_the_held_out_rows(data: Dataset) -> None:
    fold = data.folds(2)[0]
    moved = Dataset.from_arrays(
        "moved",
        modalities={
            modality.name: np.where(np.isin(np.arange(len(data)), fold.val)[:, None], 1e3, data.raw[modality.name])
            for modality in data.modalities
        },
        targets=data.targets,
        present=data.present,
        splits=data.split_of,
    )
    before, after = (prepare_fold(each, fold, device=DEVICE).train for each in (data, moved))
    for name in before.inputs:
        torch.testing.assert_close(after.inputs[name], before.inputs[name], rtol=0, atol=0)


def test_regression_is_told_in_the_units_of_the_target() -> None:
    data = make_data(task="regression")
    rows = prepare_fold(data, data.folds(2)[0], device=DEVICE)
    assert rows.train.targets.mean().abs() < 1e-5
    assert rows.train.targets.std(correction=0) == pytest.approx(1.0, abs=1e-5)
    (trained,) = train_members(candidate_of(data), (Member(0, 0),), folds=lambda _: rows, settings=TrainingSettings(epochs=60), threads=1)
    assert trained.outputs.shape == rows.targets.shape
    assert 90 < trained.outputs.mean() < 110
    assert trained.metrics["rmse"] < np.std(rows.targets)
    assert set(trained.metrics) == set(data.task.metrics)


def test_an_undefined_metric_is_none_in_the_record() -> None:
    trained = TrainedMember(Member(0, 0), {"fusion": Fit(2, 3, 0.5)}, {"auroc": float("nan"), "accuracy": 1.0}, np.zeros((1, 2)), 0.1)
    assert trained.to_dict()["metrics"] == {"auroc": None, "accuracy": 1.0}


def test_every_epoch_is_reported_with_its_member_and_phase(data: Dataset, folds: list[FoldSamples]) -> None:
    heard = []
    train_all(data, folds, make_members(2, 1), on_epoch=lambda member, phase, epoch, values: heard.append((member, phase, epoch)))
    assert heard == [(member, "fusion", epoch) for member in make_members(2, 1) for epoch in (1, 2, 3)]
