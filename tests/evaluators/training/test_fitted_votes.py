"""Votes and stacks are fitted on scores of rows that the voters have not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from device_of_tests import DEVICE
from toy_training import RECIPE, SETTINGS, fit, parse

from fusearch.data import Dataset
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.training import modes
from fusearch.evaluators.training.members import FoldSamples, prepare_fold, score
from fusearch.evaluators.training.modes import FUSION, predict, train
from fusearch.evaluators.training.optimization import reproducible
from fusearch.evaluators.training.samples import PARTS
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import FusionGraph, Recipe


@pytest.mark.parametrize("class_weights", ["none", "balanced"])
def test_a_stack_is_solved_on_rows_that_the_voters_have_not_seen(class_weights: str, rows: FoldSamples) -> None:
    """By hand: the voters again without each part; all of it with the same classes weighed up."""
    recipe = Recipe(width=8, learning_rate=1e-2, class_weights=class_weights)
    text = "a:mlp | b:mlp | c:mlp\nF1 = stacking(a@score, b@score, c@score) ->\ntrain = independent"
    network, fits, _ = fit(text, rows, recipe=recipe)
    epochs = {phase: each.best_epoch for phase, each in fits.items()}
    parts = rows.train.parts
    assert parts is not None
    unseen = {name: torch.zeros(len(parts), 1, 2) for name in "abc"}
    for part in range(3):
        others = replace(rows.train.take(torch.nonzero(parts != part).flatten()), parts=None)
        with reproducible(0, threads=1) as generator:
            again = FusionNetwork(parse(text), 2, recipe).to(DEVICE)
            train(again, others, None, recipe=recipe, task=rows.task, settings=SETTINGS, generator=generator, epochs=epochs)
        with torch.no_grad():
            scores = again.run(rows.train.inputs, rows.train.present).scores
        for name in "abc":
            unseen[name][parts == part] = scores[name][parts == part][:, None]
    by_hand = FusionNetwork(parse(text), 2, recipe).to(DEVICE).join("F1").layer
    present = [rows.train.present[name] for name in "abc"]
    by_hand.fit(list(unseen.values()), rows.train.targets, present, rows.task, parts=parts, balanced=class_weights == "balanced")
    for name, value in network.join("F1").layer.state_dict().items():
        torch.testing.assert_close(value, by_hand.state_dict()[name])
    assert not rows.train.present["b"].all()


@pytest.mark.parametrize("training", ["joint", "staged", "independent"])
def test_the_weights_of_a_vote_are_fitted_on_rows_that_the_voters_have_not_seen(training: str, rows: FoldSamples) -> None:
    """By hand: the whole training again without each part, for the epochs of the first one; `b` is missing in every tenth row."""
    settings = TrainingSettings(epochs=20)
    text = f"a:mlp | b:mlp | c:mlp\nF1 = vote_weighted(a@score, b@score, c@score) ->\ntrain = {training}"
    network, fits, _ = fit(text, rows, settings=settings)
    epochs = {phase: each.best_epoch for phase, each in fits.items()}
    truth = torch.nn.functional.one_hot(rows.train.targets, 2)
    parts = rows.train.parts
    assert parts is not None
    wrong = {name: torch.zeros(len(parts)) for name in "abc"}
    for part in range(3):
        equal = replace(rows.train.take(torch.nonzero(parts != part).flatten()), parts=None)  # its own vote stays equal
        with reproducible(0, threads=1) as generator:
            again = FusionNetwork(parse(text), 2, RECIPE).to(DEVICE)
            train(again, equal, None, recipe=RECIPE, task=rows.task, settings=settings, generator=generator, epochs=epochs)
        with torch.no_grad():
            scores = again.run(rows.train.inputs, rows.train.present).scores
        for name in "abc":
            wrong[name][parts == part] = (scores[name].softmax(dim=1) - truth).square().sum(dim=1)[parts == part]
    expected = torch.stack([1 / wrong[name][rows.train.present[name]].mean() for name in "abc"])
    weights = network.join("F1").layer.voter_weights
    torch.testing.assert_close(weights, expected / expected.sum())
    assert not rows.train.present["b"].all()
    assert weights[0] > weights[2]  # `c` knows nothing


def test_two_votes_of_a_design_share_the_scores_that_voters_have_not_seen(rows: FoldSamples, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(modes.FusionNetwork, "of", lambda *args, of=FusionNetwork.of, **options: made.append(1) or of(*args, **options))
    fit("F1 = stacking(a@score, c@score) ->\nF2 = vote_weighted(a@score, c@score) -> aux\ntrain = independent", rows)
    assert len(made) == PARTS


def test_without_parts_weights_stay_equal_and_a_prior_is_fitted_all_the_same(rows: FoldSamples) -> None:
    few = replace(rows, train=replace(rows.train, parts=None))
    vote, _, _ = fit("F1 = vote_weighted(a@score, c@score) ->\ntrain = independent", few)
    assert vote.join("F1").layer.voter_weights.tolist() == [0.5, 0.5]
    experts, _, _ = fit("F1 = product_of_experts(a@score, c@score) ->\ntrain = independent", few)
    counts = torch.bincount(rows.train.targets) + 1.0
    torch.testing.assert_close(experts.join("F1").layer.log_prior, torch.log(counts / counts.sum()))


def test_a_voter_that_only_one_part_has_gets_no_weight(rows: FoldSamples) -> None:
    parts = rows.train.parts
    assert parts is not None
    present = {**rows.train.present, "b": rows.train.present["b"] & (parts == 1)}
    network, _, _ = fit(
        "F1 = vote_weighted(a@score, b@score, c@score) ->\ntrain = independent",
        replace(rows, train=replace(rows.train, present=present)),
    )
    weights = network.join("F1").layer.voter_weights
    assert weights[1] < 1e-6
    assert weights.isfinite().all()


def test_the_out_of_fold_fit_moves_no_other_number(rows: FoldSamples) -> None:
    """The streams are what they are beside a vote without weights."""
    weighted, _, _ = fit("F1 = vote_weighted(a@score, c@score) ->\ntrain = independent", rows)
    mean, _, _ = fit("F1 = vote_mean(a@score, c@score) ->\ntrain = independent", rows)
    ours, theirs = weighted.streams.state_dict(), mean.streams.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.slow
def test_the_weight_does_not_go_to_the_voter_that_overfits() -> None:
    """A good table beside a wide one of noise: in the sample the noise looks perfect, and took all the weight (AUROC .52, alone .89)."""
    rng = np.random.default_rng(0)
    good = rng.normal(size=(240, 5))
    targets = (good[:, :3].sum(axis=1) + rng.normal(size=240) > 0).astype(int)
    data = Dataset.from_arrays("noisy", modalities={"good": good, "noise": rng.normal(size=(240, 200))}, targets=targets)

    def auroc(formula: str) -> tuple[float, torch.Tensor | None]:
        graph = FusionGraph.parse(formula, modalities=data.modalities)
        recipe = Recipe(width=32, learning_rate=1e-2)
        found, weights = [], []
        for fold in data.folds(3):
            samples = prepare_fold(data, fold, device=DEVICE)
            # Epochs are fixed, as early stopping would hide part of the overfitting.
            phases = dict.fromkeys(["good", "noise", FUSION], 15)
            with reproducible(0, threads=1) as generator:
                network = FusionNetwork(graph, 2, recipe).to(DEVICE)
                train(network, samples.train, None, recipe=recipe, task=samples.task, settings=SETTINGS, generator=generator, epochs=phases)
            found.append(score(samples.task.scored(predict(network, samples.validation)), samples.targets, data.task)["auroc"])
            if graph.fusions:
                layer = network.join("F1").layer
                weights.append(layer.maps.norm(dim=(1, 2)) if graph.fusions[0].operator == "stacking" else layer.voter_weights)
        return float(np.mean(found)), torch.stack(weights).mean(dim=0) if weights else None

    alone, _ = auroc("good:mlp\ngood@score ->")
    for operator in ("vote_weighted", "inverse_covariance", "stacking"):
        vote, weights = auroc(f"good:mlp | noise:mlp\nF1 = {operator}(good@score, noise@score) ->\ntrain = independent")
        assert weights is not None
        assert weights[0] > 2 * weights[1], operator
        assert vote > alone - 0.03, operator
