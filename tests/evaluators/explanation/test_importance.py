"""Importance of modalities and the hierarchy of joined scores, on data whose answer is known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from device_of_tests import DEVICE

from fusearch.contracts import Budget, Objective
from fusearch.data import Dataset
from fusearch.errors import EvaluationError
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.explanation.importance import Effect, effect_of, modality_effects, score_shares, trained_network
from fusearch.evaluators.training.member import Member, make_members
from fusearch.evaluators.training.modes import predict
from fusearch.evaluators.training.transfer import KeptWeights, WeightStore
from fusearch.metrics import METRICS
from fusearch.search_space import Candidate, FusionGraph, Recipe

MEMBERS = make_members(2, 1)


def make_evaluator(task: str = "classification") -> TrainingEvaluator:
    """The target is in `signal`; `noise` is noise."""
    rng = np.random.default_rng(0)
    tables = {"signal": rng.normal(size=(200, 3)), "noise": rng.normal(size=(200, 3))}
    values = tables["signal"][:, 0] * 2
    targets = values if task == "regression" else (values > 0).astype(int)
    return TrainingEvaluator(Dataset.from_arrays("toy", modalities=tables, targets=targets, task=task), folds=2, epochs=15, device=DEVICE)


@pytest.fixture(scope="module", params=["classification", "regression"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingEvaluator, Candidate, WeightStore]:
    folder = tmp_path_factory.mktemp("weights")
    evaluator = make_evaluator(request.param).keeping(folder)
    graph = FusionGraph.parse("F1 = cat(signal@0, noise@0) ->", modalities=evaluator.data.modalities)
    candidate = Candidate(graph, Recipe(learning_rate=0.05))
    list(evaluator.train_members(candidate, Budget()))
    return evaluator, candidate, WeightStore(folder)


def by_name(effects: list[Effect]) -> dict[tuple[str, str], Effect]:
    return {(effect.modality, effect.how): effect for effect in effects}


def test_what_carries_the_target_matters_and_noise_does_not(trained: tuple[TrainingEvaluator, Candidate, WeightStore]) -> None:
    evaluator, candidate, weights = trained
    metric = "auroc" if evaluator.data.task.kind == "classification" else "rmse"
    effects = by_name(modality_effects(evaluator, candidate, weights, MEMBERS, metric=metric))
    assert len(effects) == 4
    for how in ("ablation", "permutation"):
        signal, noise = effects["signal", how], effects["noise", how]
        assert signal.drop > 0.3, "worse is positive, whichever way the metric points"
        assert abs(noise.drop) < 0.1
        assert signal.low < signal.drop < signal.high
        assert signal.drop == pytest.approx(np.mean(signal.members))


def test_what_is_permuted_is_also_who_has_the_modality(tmp_path: Path) -> None:
    """Whether a scan was made is information of the scan: here it is all of it."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 160)
    tables = {"scan": np.ones((160, 2)) + rng.normal(scale=0.01, size=(160, 2)), "noise": rng.normal(size=(160, 2))}
    data = Dataset.from_arrays("made", modalities=tables, targets=targets, present={"scan": targets == 1})
    evaluator = TrainingEvaluator(data, folds=2, epochs=15, device=DEVICE).keeping(tmp_path)
    graph = FusionGraph.parse("F1 = cat(scan@L, noise@L) ->", modalities=data.modalities)
    candidate = Candidate(graph, Recipe(learning_rate=0.02, width=8))
    list(evaluator.train_members(candidate, Budget()))
    effects = by_name(modality_effects(evaluator, candidate, WeightStore(tmp_path), MEMBERS, metric="auroc", repeats=3))
    assert effects["scan", "permutation"].drop > 0.3


def test_the_interval_is_students_t() -> None:
    from scipy.stats import ttest_1samp

    auroc, drops = Objective.parse("auroc"), [0.1, 0.15, 0.05, 0.2]
    effect = effect_of("signal", "ablation", auroc, drops, [0.9] * 4, (0, 1))
    interval = ttest_1samp(drops, 0).confidence_interval(0.95)
    assert (effect.low, effect.high) == pytest.approx((interval.low, interval.high))
    single = effect_of("signal", "ablation", auroc, [0.1], [0.9], (0, 1))
    assert (single.drop, single.low, single.high) == (0.1, None, None)


def test_the_seed_decides_the_permutations(trained: tuple[TrainingEvaluator, Candidate, WeightStore]) -> None:
    evaluator, candidate, weights = trained
    metric = evaluator.data.task.metrics[0]
    first, again, other = (
        modality_effects(evaluator, candidate, weights, MEMBERS, metric=metric, repeats=2, seed=seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_permutation_is_the_mean_of_its_repeats(trained: tuple[TrainingEvaluator, Candidate, WeightStore]) -> None:
    evaluator, candidate, weights = trained
    metric = evaluator.data.task.metrics[0]
    once, often = (by_name(modality_effects(evaluator, candidate, weights, MEMBERS, metric=metric, repeats=each)) for each in (1, 4))
    assert once["signal", "permutation"] != often["signal", "permutation"]
    assert once["signal", "ablation"] == often["signal", "ablation"], "there is one way to be absent"


def test_a_member_predicts_as_it_did_when_it_was_trained(trained: tuple[TrainingEvaluator, Candidate, WeightStore]) -> None:
    evaluator, candidate, weights = trained
    rows = evaluator.prepared(0)
    network = trained_network(evaluator, candidate, weights, Member(0, 0))
    again = next(iter(evaluator.train_members(candidate, Budget(members=1))))
    outputs = predict(network, rows.validation)
    regression = not rows.task.classes
    expected = outputs[:, 0] * rows.task.unit + rows.task.mean if regression else outputs.softmax(dim=1)
    np.testing.assert_allclose(expected.numpy(), again.outputs, atol=1e-5)


def test_an_interval_ends_where_the_metric_does() -> None:
    drops, whole = [0.2, 0.4, math.nan], [0.8, 0.9, math.nan]
    found = effect_of("a", "ablation", Objective.parse("auroc"), drops, whole, METRICS["auroc"].bounds)
    assert (found.low, found.high) == pytest.approx((0.85 - 1, 0.85)), "two members alone give an interval from -0.97 to 1.57"
    found = effect_of("a", "ablation", Objective.parse("rmse"), [2, 4], [3, 5], METRICS["rmse"].bounds)
    assert (found.low, found.high) == pytest.approx((-4, 3 + 12.706), abs=1e-3), "an error has no greatest value"
    narrow = effect_of("a", "ablation", Objective.parse("auroc"), [0.2, 0.21], [0.8, 0.9], METRICS["auroc"].bounds)
    assert (narrow.low, narrow.high) == pytest.approx((0.205 - 0.0635, 0.205 + 0.0635), abs=1e-3)


def test_another_metric_or_missing_weights_are_one_line(trained: tuple[TrainingEvaluator, Candidate, WeightStore], tmp_path: Path) -> None:
    evaluator, candidate, weights = trained
    with pytest.raises(EvaluationError, match="metric 'aurocc'"):
        modality_effects(evaluator, candidate, weights, MEMBERS, metric="aurocc")
    with pytest.raises(EvaluationError, match="no weights of candidate"):
        modality_effects(evaluator, candidate, WeightStore(tmp_path), MEMBERS, metric=evaluator.data.task.metrics[0])


GRAPH = FusionGraph.parse("a = rna:mlp1 | b = rna:mlp2 | c = meth:mlp1\nF1 = cat(a@score, b@score, c@score) ->\ntrain = staged")


def kept(weight: list[list[float]]) -> KeptWeights:
    return KeptWeights({}, {"heads.0.linear.weight": torch.tensor(weight)}, {})


def test_shares_of_the_weights_that_leave_joined_scores() -> None:
    """Two classes: columns 0 and 1 are a's, 2 and 3 b's, 4 and 5 c's."""
    members = [kept([[1.0, -1.0, 1.0, 0.0, 0.0, 0.0], [-1.0, 1.0, 0.0, 1.0, 2.0, -2.0]]), kept([[0.0] * 4 + [3.0, 1.0], [4.0] + [0.0] * 5])]
    shares = {(share.kind, share.name): share for share in score_shares(GRAPH, members)}
    assert shares["stream", "a"].mean == pytest.approx((4 / 10 + 4 / 8) / 2)
    assert shares["stream", "b"].mean == pytest.approx((2 / 10 + 0) / 2)
    assert shares["stream", "c"].mean == pytest.approx((4 / 10 + 4 / 8) / 2)
    assert shares["modality", "rna"].mean == pytest.approx((6 / 10 + 4 / 8) / 2)
    assert shares["modality", "rna"].spread == pytest.approx(np.std([0.6, 0.5], ddof=1))
    for kind in ("stream", "modality"):
        assert sum(share.mean for share in shares.values() if share.kind == kind) == pytest.approx(1.0)
    order = [share.mean for share in shares.values() if share.kind == "stream"]
    assert order == sorted(order, reverse=True)


def test_other_designs_have_no_hierarchy() -> None:
    with pytest.raises(EvaluationError, match="does not join class scores by one 'cat'"):
        score_shares(FusionGraph.parse("a = rna:mlp1 | c = meth:mlp1\nF1 = cat(a@L, c@L) ->"), [])
