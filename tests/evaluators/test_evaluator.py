"""The training evaluator as a whole, on real and on small data."""

from __future__ import annotations

import json
import os
import pickle
import weakref
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from device_of_tests import DEVICE
from sklearn.metrics import roc_auc_score
from toy_data import make_data

from fusearch.contracts import Budget, CheapEvaluator, Evaluation, FoldwiseEvaluator, Objective
from fusearch.data import Dataset, Fold, load_data
from fusearch.errors import EvaluationError, LeakError, ObjectiveError
from fusearch.evaluators import FusionNetwork, TrainingEvaluator
from fusearch.evaluators.training.members import FoldSamples, prepare_fold, score
from fusearch.evaluators.training.modes import predict, train
from fusearch.evaluators.training.optimization import reproducible
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.layout import PREDICTIONS, predictions_file
from fusearch.search.configuration import check_objectives
from fusearch.search.run_folder import save_predictions
from fusearch.search_space import Candidate, FusionGraph, Recipe


def silent(_step: int, _values: Mapping[str, float]) -> None: ...


def candidate_of(data: Dataset, text: str, **recipe: object) -> Candidate:
    return Candidate(FusionGraph.parse(text, modalities=data.modalities), Recipe(**recipe))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return make_data()


@pytest.fixture(scope="module")
def evaluator(data: Dataset) -> TrainingEvaluator:
    return TrainingEvaluator(data, folds=3, seeds=2, epochs=4, costs=("latency_ms", "peak_memory_mb"), missing=True, device=DEVICE)


@pytest.fixture(scope="module")
def evaluation(evaluator: TrainingEvaluator, data: Dataset) -> Evaluation:
    return evaluator(candidate_of(data, "F1 = cat(a@L, b@L) ->", width=8), Budget(), silent)


def test_it_keeps_the_contract(evaluator: TrainingEvaluator, evaluation: Evaluation) -> None:
    assert isinstance(evaluator, CheapEvaluator)
    assert isinstance(evaluator, FoldwiseEvaluator)
    assert Evaluation.of(evaluation).metrics == evaluation.metrics
    assert set(evaluation) == evaluator.objectives()
    assert all(Objective.parse(name).name == name for name in evaluator.objectives())
    json.dumps({**evaluation.details, "description": evaluator.describe()}, allow_nan=False)


@pytest.mark.parametrize(("kept", "device", "expected"), [(1e9, DEVICE, [0, 1]), (0.0, "cpu", [0, 1, 0, 1])])
def test_a_fold_is_brought_to_the_device_once_for_all_designs_where_folds_are_small(
    kept: float, device: str, expected: list[int], data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = list[int]()

    def spied(data: Dataset, fold: Fold, **where: Any) -> FoldSamples:
        brought.append(fold.index)
        return prepare_fold(data, fold, **where)

    monkeypatch.setattr("fusearch.evaluators.evaluator.prepare_fold", spied)
    monkeypatch.setattr("fusearch.evaluators.device.KEPT_ON_CPU", kept)
    evaluator = TrainingEvaluator(data, folds=2, epochs=1, device=device)
    for operator in ("cat", "sum"):
        evaluator(candidate_of(data, f"F1 = {operator}(a@L, b@L) ->", width=8), Budget(), silent)
    assert brought == expected


def test_values_are_means_over_members_and_spread_is_their_deviation(evaluation: Evaluation) -> None:
    members = evaluation.details["members"]
    assert [(member["fold"], member["seed"]) for member in members] == [(fold, seed) for fold in range(3) for seed in range(2)]
    values = [member["metrics"]["auroc"] for member in members]
    assert evaluation["auroc"] == pytest.approx(np.mean(values))
    assert evaluation.spread["auroc"] == pytest.approx(np.std(values, ddof=1))
    assert evaluation["train_seconds"] == pytest.approx(np.mean([member["seconds"] for member in members]))
    assert set(evaluation.details["best_epochs"]) == {"fusion"}


def test_out_of_fold_predictions_cover_every_search_row_once_a_seed(evaluator: TrainingEvaluator, evaluation: Evaluation) -> None:
    arrays = evaluation.arrays
    for seed in (0, 1):
        assert sorted(arrays["rows"][arrays["seed"] == seed]) == list(range(len(evaluator.data)))
    assert (arrays["ids"] == evaluator.data.ids[arrays["rows"]]).all()
    first = (arrays["fold"] == 0) & (arrays["seed"] == 0)
    by_hand = roc_auc_score(arrays["targets"][first], arrays["probabilities"][first][:, 1])
    assert by_hand == pytest.approx(evaluation.details["members"][0]["metrics"]["auroc"])


def test_cheap_values_are_those_of_the_evaluation_and_need_no_training(
    evaluator: TrainingEvaluator, evaluation: Evaluation, data: Dataset
) -> None:
    cheap = evaluator.cheap(candidate_of(data, "F1 = cat(a@L, b@L) ->", width=8))
    encoders = (4 * 8 + 8 * 8) + (3 * 8 + 8 * 8)
    assert cheap["macs"] == encoders + 16 * 2
    assert cheap["parameters"] == encoders + 4 * (8 + 16) + 16 * 2 + 2
    assert {name: evaluation[name] for name in cheap} == cheap
    before = torch.get_rng_state()
    evaluator.cheap(candidate_of(data, "F1 = cat(a@L, b@L) ->", width=8))
    assert torch.equal(torch.get_rng_state(), before), "to be asked for a cost moves no random numbers"


@pytest.mark.parametrize("threads", [2, 3, None])
def test_latency_is_measured_with_the_threads_of_the_evaluator(data: Dataset, threads: int | None) -> None:
    """A modality's encoder tells how many threads it runs with: as many as asked, and the process has its own again afterwards."""
    seen: list[int] = []

    def listen(module: torch.nn.Module, _: object) -> None:
        seen.append(torch.get_num_threads())

    before = torch.get_num_threads()
    hook = torch.nn.modules.module.register_module_forward_pre_hook(listen)
    try:
        found = TrainingEvaluator(data, folds=2, threads=threads, costs=("latency_ms",), device=DEVICE)._measure(
            candidate_of(data, "a:mlp\na@L ->")
        )
    finally:
        hook.remove()
    assert found["latency_ms"] > 0
    assert set(seen) == {before if threads is None else threads}
    assert torch.get_num_threads() == before


def test_the_test_split_is_not_there_and_asking_for_it_is_an_error(data: Dataset) -> None:
    class Cheater(TrainingEvaluator):
        def __call__(self, candidate: Candidate, budget: Budget, report: object) -> Evaluation:
            return Evaluation({"accuracy": float(len(self.data.rows("test")))})

    cheater = Cheater(data, folds=2)
    assert len(cheater.data) == len(data) - len(data.rows("test"))
    assert not set(cheater.data.ids) & set(data.ids[data.rows("test")])
    with pytest.raises(LeakError, match="the test split of 'toy' is withheld"):
        cheater(candidate_of(data, "a:mlp\na@L ->"), Budget(), silent)


def test_the_same_candidate_gives_the_same_values(evaluator: TrainingEvaluator, evaluation: Evaluation, data: Dataset) -> None:
    twin = pickle.loads(pickle.dumps(evaluator))
    again = twin(candidate_of(data, "F1 = cat(a@L, b@L) ->", width=8), Budget(), silent)
    assert np.array_equal(again.arrays["probabilities"], evaluation.arrays["probabilities"])
    measured = {"latency_ms", "train_seconds"}
    assert {name: value for name, value in again.items() if name not in measured} == {
        name: value for name, value in evaluation.items() if name not in measured
    }


def test_pickling_leaves_prepared_tensors_behind(data: Dataset) -> None:
    evaluator = TrainingEvaluator(data, folds=2, device=DEVICE)
    before = len(pickle.dumps(evaluator))
    evaluator.prepared(0)
    assert evaluator.prepared(0) is evaluator.prepared(0)
    assert len(pickle.dumps(evaluator)) == before


def test_of_large_data_one_prepared_fold_is_kept(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluator = TrainingEvaluator(data, folds=3, device="cpu")
    small = [evaluator.prepared(fold) for fold in range(3)]
    assert all(evaluator.prepared(fold) is small[fold] for fold in range(3))
    monkeypatch.setattr("fusearch.evaluators.device.KEPT_ON_CPU", evaluator._bytes_of_a_fold)
    large = TrainingEvaluator(data, folds=3, device="cpu")
    first = large.prepared(0)
    assert large.prepared(0) is first
    gone = weakref.ref(large.prepared(1))
    assert gone() is not None
    assert large.prepared(0) is not first
    assert gone() is None, "the other fold is let go"
    for name, values in first.train.inputs.items():
        torch.testing.assert_close(values, small[0].train.inputs[name], rtol=0, atol=0)


def test_the_budget_limits_epochs_and_members(evaluator: TrainingEvaluator, data: Dataset) -> None:
    found = evaluator(candidate_of(data, "F1 = cat(a@L, b@L) ->", width=8), Budget(epochs=1, members=2), silent)
    assert [member["epochs"] for member in found.details["members"]] == [{"fusion": 1}] * 2
    assert len(found.arrays["rows"]) == sum(len(fold.val) for fold in evaluator.folds[:2])


def test_reports_count_epochs_and_give_the_mean_after_each_member(evaluator: TrainingEvaluator, data: Dataset) -> None:
    heard: list[tuple[int, dict[str, float]]] = []
    candidate = candidate_of(data, "F1 = cat(a@L, b@L) ->\ntrain = frozen", width=8)
    found = evaluator(candidate, Budget(epochs=2, members=2), lambda step, values: heard.append((step, dict(values))))
    assert [step for step, values in heard if "val_loss" in values] == list(range(1, 1 + 2 * 3 * 2))  # members, phases, epochs
    means = [values for _, values in heard if "members" in values]
    assert [values["members"] for values in means] == [1.0, 2.0]
    assert means[-1]["auroc"] == found["auroc"]


def test_a_report_may_stop_the_evaluation(evaluator: TrainingEvaluator, data: Dataset) -> None:
    def stop(step: int, _values: Mapping[str, float]) -> None:
        if step == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        evaluator(candidate_of(data, "F1 = cat(a@L, b@L) ->", width=8), Budget(), stop)


def test_a_loss_that_explodes_is_an_error(data: Dataset) -> None:
    evaluator = TrainingEvaluator(data, folds=2, epochs=50, device=DEVICE)
    with pytest.raises(EvaluationError, match="loss is (nan|inf) in epoch"):  # noqa: RUF043  # either is right
        evaluator(
            candidate_of(data, "F1 = product(a@L, b@L)\nF2 = product(F1@0, F1@0) ->", learning_rate=10.0, weight_decay=1000.0),
            Budget(),
            silent,
        )


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks(task: str) -> None:
    data = make_data(task="regression") if task == "regression" else make_data(classes=4)
    evaluator = TrainingEvaluator(data, folds=2, epochs=3, device=DEVICE)
    found = evaluator(candidate_of(data, "F1 = vote_weighted(a@score, b@score) ->\ntrain = independent"), Budget(), silent)
    assert set(found) == evaluator.objectives()
    assert ("predictions" if task == "regression" else "probabilities") in found.arrays


def test_a_metric_that_no_fold_defines_is_told_before_training() -> None:
    whole = make_data(rows=80)
    groups = [f"{'ab'[target]}{row % 4}" for row, target in enumerate(whole.targets)]
    modalities = {name: whole.raw[name] for name in ("a", "c")}
    data = Dataset.from_arrays("groups", modalities=modalities, targets=whole.targets, groups=groups, folds="groups")
    evaluator = TrainingEvaluator(data, missing=True, device=DEVICE)
    for name in ("auroc", "auroc_without.a", "worst_missing_auroc"):
        assert (
            evaluator.undefined(name)
            == f"{name} is undefined in all 8 folds: each holds one class; expected another objective, or other folds"
        )
    assert evaluator.undefined("log_loss") is None
    assert evaluator.undefined("macs") is None
    with pytest.raises(ObjectiveError, match="auroc is undefined in all 8 folds"):
        check_objectives(["auroc", "macs"], evaluator)


def test_a_metric_that_some_folds_define_is_told_in_the_configuration() -> None:
    whole = make_data(rows=100)
    positives = np.flatnonzero(whole.targets == 1)[:3]
    keep = np.sort(np.concatenate([np.flatnonzero(whole.targets == 0), positives]))
    modalities = {name: whole.raw[name][keep] for name in ("a", "c")}
    rare = Dataset.from_arrays("rare", modalities=modalities, targets=whole.targets[keep], fractions=(0.6, 0.4))
    evaluator = TrainingEvaluator(rare, folds=5, device=DEVICE)
    told = evaluator.describe()["data"]
    counts = [int(rare.targets[fold.val].sum()) for fold in evaluator.folds]
    assert 0 in counts
    assert told["defined"]["auroc"] == [sum(map(bool, counts)), 5]
    assert "accuracy" not in told["defined"]
    assert told["chance"]["auprc"] == pytest.approx(rare.targets.mean())
    assert told["note"].startswith("Positive class: 1 (second of 0, 1)")
    assert any("fewer than the 5 folds" in warning for warning in told["warnings"])


def test_settings_that_are_not_legal_are_refused(data: Dataset) -> None:
    with pytest.raises(EvaluationError, match=r"cost 'latency': did you mean 'latency_ms'\?"):
        TrainingEvaluator(data, costs=("latency",), device=DEVICE)
    with pytest.raises(EvaluationError, match="seeds is 0"):
        TrainingEvaluator(data, seeds=0, device=DEVICE)
    for pack in ("of", 0, True):
        with pytest.raises(EvaluationError, match=f"pack is {pack!r}, expected 'auto', 'off' or a number of members such as 15"):
            TrainingEvaluator(data, pack=pack, device=DEVICE)


def test_it_learns_wisconsin() -> None:
    data = load_data("wisconsin")
    evaluator = TrainingEvaluator(data, device=DEVICE)
    fused = evaluator(candidate_of(data, "F1 = cat(mean@L, error@L, worst@L) ->"), Budget(members=2), silent)
    single = evaluator(candidate_of(data, "error:mlp\nerror@L ->"), Budget(members=2), silent)
    assert fused["auroc"] > 0.98
    assert single["auroc"] < fused["auroc"]


def test_the_linear_model_reaches_what_is_known_of_rosmap() -> None:
    folder = os.environ.get("FUSEARCH_SHARED_DATA")
    file = Path(folder or "") / "rosmap_mogonet" / "rosmap.npz"
    if not folder or not file.is_file():
        pytest.skip("the environment variable FUSEARCH_SHARED_DATA names no folder with rosmap_mogonet/rosmap.npz")
    with np.load(file) as arrays:
        tables = {name: np.concatenate([arrays[f"{name}_train"], arrays[f"{name}_test"]]) for name in ("mrna", "meth", "mirna")}
        targets = np.concatenate([arrays["y_train"], arrays["y_test"]]).astype(int)
        splits = ["train"] * len(arrays["y_train"]) + ["val"] * len(arrays["y_test"])
    data = Dataset.from_arrays("rosmap", modalities=tables, targets=targets, splits=splits)
    # The authors' test rows must not choose the epoch: as many as run, none picked.
    rows = prepare_fold(data, data.folds(1)[0], device=DEVICE)
    candidate = candidate_of(data, "F1 = cat(mrna@0, meth@0, mirna@0) ->", weight_decay=1.0)
    with reproducible(0, threads=1) as generator:
        network = FusionNetwork(candidate.graph, 2, candidate.recipe).to(DEVICE)
        settings = TrainingSettings(epochs=60)
        train(network, rows.train, None, recipe=candidate.recipe, task=rows.task, settings=settings, generator=generator)
    found = score(rows.task.scored(predict(network, rows.validation)), rows.targets, data.task)
    assert found["auroc"] > 0.885  # logistic regression by scikit-learn: 0.901; two published networks are below it


def test_the_constant_predictor_is_told_for_each_fold_from_its_training_rows_alone() -> None:
    data = make_data(rows=60)
    evaluator = TrainingEvaluator(data, folds=3, device=DEVICE)
    told = evaluator.describe()["data"]["constant"]
    for fold, outputs in zip(evaluator.folds, told, strict=True):
        assert outputs[1] == pytest.approx(float(evaluator.data.targets[fold.train].mean()))


def test_groups_travel_with_the_predictions_so_that_they_are_drawn_whole() -> None:
    rng = np.random.default_rng(0)
    groups = [f"patient {row // 2}" for row in range(40)]
    targets = np.repeat(rng.permutation(np.arange(20) % 2), 2)
    data = Dataset.from_arrays("visits", modalities={"a": rng.normal(size=(40, 3))}, targets=targets, groups=groups, splits=["train"] * 40)
    evaluator = TrainingEvaluator(data, folds=2, epochs=1, device=DEVICE)
    candidate = Candidate(FusionGraph.parse("a@L ->", data.modalities))
    arrays = evaluator(candidate, Budget(), lambda step, values: None).arrays
    assert {(row // 2, group) for row, group in zip(arrays["rows"], arrays["groups"], strict=True)} == {
        (row // 2, int(np.unique(groups, return_inverse=True)[1][row])) for row in range(40)
    }
    assert "groups" not in TrainingEvaluator(make_data(rows=30), folds=2, epochs=1, device=DEVICE).describe()


def test_the_losses_of_every_epoch_are_kept_and_the_least_one_is_the_best_epoch(data: Dataset) -> None:
    evaluator = TrainingEvaluator(data, folds=2, seeds=2, epochs=30, patience=3, device=DEVICE)
    heard: list[tuple[int, int, float, float]] = []

    def listen(_step: int, values: Mapping[str, float]) -> None:
        if "val_loss" in values:
            heard.append((int(values["fold"]), int(values["seed"]), values["loss"], values["val_loss"]))

    found = evaluator(candidate_of(data, "F1 = cat(a@L, b@L) ->", width=8), Budget(), listen)
    losses, members = found.arrays["losses"], found.details["members"]
    assert losses.dtype == np.float32
    assert losses.shape == (4, 1, max(Counter(each[:2] for each in heard).values()), 2)
    for member, kept in zip(members, losses[:, 0], strict=True):
        told = [each[2:] for each in heard if each[:2] == (member["fold"], member["seed"])]
        np.testing.assert_allclose(kept[: len(told)], told, rtol=1e-6)
        assert np.isnan(kept[len(told) :]).all()
        assert int(np.nanargmin(kept[:, 1])) + 1 == member["epochs"]["fusion"]


def test_losses_are_kept_by_phase_and_a_design_that_is_solved_has_none(data: Dataset) -> None:
    evaluator = TrainingEvaluator(data, folds=2, epochs=3, device=DEVICE)
    frozen = evaluator(candidate_of(data, "F1 = cat(a@L, b@L) ->\ntrain = frozen", width=8), Budget(), silent)
    assert list(frozen.details["best_epochs"]) == ["a", "b", "fusion"]
    assert frozen.arrays["losses"].shape == (2, 3, 3, 2)
    assert np.isfinite(frozen.arrays["losses"]).all()
    solved = evaluator(candidate_of(data, "a:identity | b:identity\nF1 = cat(a@0, b@0) ->\ntrain = convex"), Budget(), silent)
    assert solved.arrays["losses"].shape == (2, 1, 0, 2)


def test_losses_make_a_run_little_larger(data: Dataset, tmp_path: Path) -> None:
    found = TrainingEvaluator(data, folds=5, epochs=60, patience=60, device=DEVICE)(
        candidate_of(data, "F1 = cat(a@L, b@L) ->", width=8), Budget(), silent
    )
    assert found.arrays["losses"].shape == (5, 1, 60, 2)
    (tmp_path / PREDICTIONS).mkdir()
    sizes = []
    for name, arrays in (("with", found.arrays), ("without", {key: each for key, each in found.arrays.items() if key != "losses"})):
        save_predictions(tmp_path, name, arrays)
        sizes.append(predictions_file(tmp_path, name).stat().st_size)
    assert 0 < sizes[0] - sizes[1] < 5 * 60 * 2 * 4 + 300  # four bytes a loss, and the head of an array
