from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted_runs import CONFIG, planted_trials
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, confusion_matrix, precision_score, recall_score, roc_auc_score, roc_curve

from fusearch.contracts import Objective
from fusearch.layout import PREDICTIONS, predictions_file
from fusearch.reports.findings.predicted import Predicted, read_predicted
from fusearch.study import TrialRecord
from fusearch.trials import Trials

FUSED, OTHER = "F1 = cat(rna@L, labs@L) ->", "F1 = mean(rna@L, labs@L) ->"
DESIGNS = [("rna", 0.5, "best_unimodal"), (FUSED, 1.0, "late"), (OTHER, 2.0, None)]


def read(trials: Trials, pick: int = -1) -> Predicted:
    record = sorted(trials.records, key=lambda record: record.number)[pick]
    return read_predicted(trials, record, lambda each: f"trial {each.number}")


def planted(folder: Path, trial: int) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(predictions_file(folder, f"candidate{trial}")) as file:
        held = {name: file[name] for name in file.files}
    held["probabilities"] = held["probabilities"].astype(float)
    held["probabilities"] /= held["probabilities"].sum(axis=1, keepdims=True)
    return held


def one_design(folder: Path, metric: str, arrays: Mapping[str, Any], task: Mapping[str, Any] | None = None) -> Trials:
    """Return a run of one design with these predictions."""
    (folder / PREDICTIONS).mkdir(parents=True)
    np.savez(predictions_file(folder, "candidate"), **arrays)
    record = TrialRecord(FUSED, "graph", "candidate", number=0, state="complete", objectives={metric: 0.5}, values={metric: 0.5})
    config = {**CONFIG, "evaluator": {"data": {"task": task}}} if task else CONFIG
    return Trials([record], (Objective.parse(metric),), config, folder)


def test_the_pick_stands_beside_the_best_simple_design(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, DESIGNS)
    assert [design.trial for design in read(trials).designs] == [2, 1]
    assert [design.trial for design in read(trials, 1).designs] == [1, 0]
    assert [design.label for design in read(trials).designs] == ["trial 2", "trial 1"]


def test_the_areas_are_the_metrics_that_the_search_saw(tmp_path: Path) -> None:
    design, held = read(planted_trials(tmp_path, DESIGNS)).designs[0], planted(tmp_path, 2)
    folds = [held["fold"] == fold for fold in range(5)]
    areas = [roc_auc_score(held["targets"][rows], held["probabilities"][rows, 1]) for rows in folds]
    precisions = [average_precision_score(held["targets"][rows], held["probabilities"][rows, 1]) for rows in folds]
    assert design.roc is not None
    assert design.precision_recall is not None
    assert np.trapezoid(design.roc.y, design.roc.x) == pytest.approx(np.mean(areas), abs=0.01)
    assert np.trapezoid(design.precision_recall.y, design.precision_recall.x) == pytest.approx(np.mean(precisions), abs=0.01)


def test_the_curve_of_one_fold_goes_through_the_points_of_scikit_learn(tmp_path: Path) -> None:
    design, held = read(planted_trials(tmp_path, DESIGNS, folds=1, rows=120)).designs[0], planted(tmp_path, 2)
    wrong, right, _ = roc_curve(held["targets"], held["probabilities"][:, 1], drop_intermediate=False)
    assert design.roc is not None
    assert design.roc.y == pytest.approx(np.interp(design.roc.x, wrong, right), abs=1e-4)


def test_the_band_holds_the_curve_and_is_narrower_with_more_rows(tmp_path: Path) -> None:
    widths = []
    for rows in (150, 1500):
        curve = read(planted_trials(tmp_path / str(rows), DESIGNS, rows=rows)).designs[0].roc
        assert curve is not None
        y, low, high = (np.array(each) for each in (curve.y, curve.low, curve.high))
        assert (low <= y + 0.02).all()
        assert (y <= high + 0.02).all()
        widths.append(float((high - low).mean()))
    assert widths[1] < 0.6 * widths[0]


def test_confusion_and_its_shares(tmp_path: Path) -> None:
    design, held = read(planted_trials(tmp_path, DESIGNS)).designs[0], planted(tmp_path, 2)
    said = held["probabilities"].argmax(axis=1)
    assert design.confusion == tuple(map(tuple, confusion_matrix(held["targets"], said).tolist()))
    assert design.sensitivity == pytest.approx(recall_score(held["targets"], said, average=None))
    assert design.precision == pytest.approx(precision_score(held["targets"], said, average=None))


def test_calibration_is_that_of_scikit_learn_with_bars_around_it(tmp_path: Path) -> None:
    design, held = read(planted_trials(tmp_path, DESIGNS)).designs[0], planted(tmp_path, 2)
    observed, predicted = calibration_curve(held["targets"], held["probabilities"][:, 1], n_bins=10, strategy="quantile")
    assert [each.observed for each in design.calibration] == pytest.approx(observed)
    assert [each.predicted for each in design.calibration] == pytest.approx(predicted)
    assert sum(each.rows for each in design.calibration) == 300
    assert all(each.low <= each.observed <= each.high for each in design.calibration)


def test_several_classes_are_each_taken_against_the_rest(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 240)
    probabilities = rng.dirichlet(np.ones(3), 240) + np.eye(3)[targets]
    arrays = {"rows": np.arange(240), "fold": np.zeros(240, int), "targets": targets, "probabilities": probabilities}
    task = {"kind": "classification", "name": "y", "labels": ["x", "y", "z"]}
    found = read(one_design(tmp_path, "auroc", arrays, task))
    assert found.labels == ("x", "y", "z")
    (design,) = found.designs
    assert design.roc is not None
    normalized = probabilities / probabilities.sum(axis=1, keepdims=True)
    assert np.trapezoid(design.roc.y, design.roc.x) == pytest.approx(roc_auc_score(targets, normalized, multi_class="ovr"), abs=0.01)
    assert np.array(design.confusion).shape == (3, 3)
    observed, predicted = calibration_curve(normalized.argmax(axis=1) == targets, normalized.max(axis=1), n_bins=8, strategy="quantile")
    assert [each.observed for each in design.calibration] == pytest.approx(observed)
    assert [each.predicted for each in design.calibration] == pytest.approx(predicted)


def test_a_class_that_a_fold_or_all_rows_lack(tmp_path: Path) -> None:
    targets = np.array([0, 0, 0, 0, 1, 0])
    positive = np.array([0.1, 0.2, 0.3, 0.2, 0.9, 0.4])
    arrays = {
        "rows": np.arange(6),
        "fold": np.array([0, 0, 0, 1, 1, 1]),
        "targets": targets,
        "probabilities": np.column_stack([1 - positive, positive]),
    }
    (design,) = read(one_design(tmp_path / "fold", "auroc", arrays)).designs
    assert design.roc is not None
    assert design.roc.y[-1] == 1.0
    (design,) = read(one_design(tmp_path / "all", "auroc", {**arrays, "targets": np.zeros(6, int)})).designs
    assert (design.roc, design.precision_recall) == (None, None)
    assert design.sensitivity == (5 / 6, None)


def test_a_number_is_told_by_truth_and_prediction(tmp_path: Path) -> None:
    targets = np.linspace(-1, 1, 1200)
    arrays = {"rows": np.arange(1200), "fold": np.arange(1200) % 3, "targets": targets, "predictions": targets[:, None] * 0.5}
    found = read(one_design(tmp_path, "rmse", arrays))
    (design,) = found.designs
    assert (found.labels, found.rows, len(design.points)) == ((), 1200, 500)
    assert {round(said / truth, 3) for truth, said in design.points} == {0.5}
    assert (design.roc, design.confusion) == (None, ())


def test_what_is_missing_is_said_in_words(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, DESIGNS)
    predictions_file(tmp_path, "candidate2").unlink()
    assert read(trials).reason == "no predictions of trial 2 were kept"
    assert read(replace(trials, path=None)).designs == ()
    assert read_predicted(trials, None, str).reason == "nothing was evaluated"
    arrays = {"rows": np.arange(4), "fold": np.zeros(4, int), "targets": np.ones((4, 2)), "predictions": np.ones((4, 1))}
    assert read(one_design(tmp_path / "other", "rmse", arrays)).reason == "a regression has no curves here"


def test_classes_are_taken_at_the_threshold_that_was_fitted_for_the_metric(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    targets = (rng.random(600) < 0.1).astype(int)
    odds = np.exp(1.2 * (rng.normal(size=600) + 1.2 * targets)) / 9
    probabilities = np.column_stack([1 / (1 + odds), odds / (1 + odds)])
    fold = rng.permutation(np.arange(600) % 5)
    arrays = {"rows": np.arange(600), "fold": fold, "targets": targets, "probabilities": probabilities}
    task = {"kind": "classification", "name": "outcome", "labels": ["well", "sick"]}
    found = {metric: read(one_design(tmp_path / metric, metric, arrays, task)) for metric in ("f1_macro", "auroc")}
    plain, fitted = found["auroc"].designs[0], found["f1_macro"].designs[0]
    assert plain.correction is None
    assert plain.confusion == tuple(map(tuple, confusion_matrix(targets, probabilities.argmax(axis=1))))
    assert fitted.correction is not None
    threshold = fitted.correction.threshold
    taken = probabilities[:, 1] > threshold
    assert fitted.confusion == tuple(map(tuple, confusion_matrix(targets, taken)))
    assert fitted.sensitivity[1] == pytest.approx(recall_score(targets, taken))
    recalls = [recall_score(targets[fold == each], taken[fold == each]) for each in range(5)]
    assert fitted.decided["sensitivity"] == pytest.approx(np.mean(recalls))
    assert fitted.decided["sensitivity"] > plain.decided["sensitivity"]
    assert fitted.calibration == plain.calibration  # probabilities stay what they are
