from dataclasses import replace

import numpy as np
import pytest
from planted_runs import planted_trials

from fusearch.contracts import Objective
from fusearch.inference.correction import (
    EXPONENTS,
    correction_for,
    correction_of,
    fit_correction,
    scores_of_classes,
    taken_out_of_fold,
    weighed,
)
from fusearch.inference.kept import read_kept
from fusearch.layout import predictions_file
from fusearch.metrics import METRICS

F1 = Objective.parse("f1_macro")


def calibrated(shares, rows=2000, skill=1.0, seed=0):
    """Classes in these shares and the true probability of each, given one normal column a class."""
    rng = np.random.default_rng(seed)
    targets = rng.choice(len(shares), size=rows, p=shares)
    columns = rng.normal(size=(rows, len(shares))) + skill * np.eye(len(shares))[targets]
    odds = np.exp(skill * columns) * np.array(shares)
    return targets, odds / odds.sum(axis=1, keepdims=True), rng.permutation(np.arange(rows) % 5)


@pytest.mark.parametrize("shares", [(0.92, 0.08), (0.7, 0.22, 0.08)])
@pytest.mark.parametrize("name", ["f1_macro", "balanced_accuracy"])
def test_rare_classes_are_taken_more_often_where_that_pays(shares, name):
    targets, probabilities, fold = calibrated(shares)
    found = fit_correction(targets, probabilities, fold, Objective.parse(name))
    assert found is not None
    assert found.metric == name
    assert 0 < found.exponent <= 1
    assert found.score > found.plain
    assert np.mean(found.weights) == pytest.approx(1)
    fresh, said, _ = calibrated(shares, seed=1)
    assert METRICS[name](fresh, found.apply(said)) > METRICS[name](fresh, said) + 0.5 * (found.score - found.plain)
    taken = found.apply(said).argmax(axis=1)
    assert (taken == len(shares) - 1).sum() > (said.argmax(axis=1) == len(shares) - 1).sum()


def test_of_two_classes_the_weights_are_a_threshold():
    targets, probabilities, fold = calibrated((0.92, 0.08))
    found = fit_correction(targets, probabilities, fold, F1)
    assert found is not None
    assert 0.08 < found.threshold < 0.5
    assert (found.apply(probabilities).argmax(axis=1) == (probabilities[:, 1] > found.threshold)).all()
    several = fit_correction(*calibrated((0.7, 0.22, 0.08)), F1)
    assert several is not None
    assert several.threshold is None


def test_balanced_accuracy_of_true_probabilities_takes_what_a_row_speaks_for_more_than_the_share_does():
    found = fit_correction(*calibrated((0.85, 0.15), rows=20_000), Objective.parse("balanced_accuracy"))
    assert found is not None
    assert found.exponent >= 0.8
    assert found.threshold == pytest.approx(0.15**found.exponent / (0.15**found.exponent + 0.85**found.exponent), rel=0.05)


def test_the_score_is_of_folds_that_the_exponent_was_not_fitted_on():
    targets, probabilities, fold = calibrated((0.9, 0.1), rows=400)
    found = fit_correction(targets, probabilities, fold, F1)
    assert found is not None
    shares = np.bincount(targets) / len(targets)
    table = np.array(
        [
            [METRICS["f1_macro"](targets[fold == each], weighed(probabilities[fold == each], shares**-exponent)) for each in range(5)]
            for exponent in EXPONENTS
        ]
    )
    nested = [table[np.delete(table, each, axis=1).mean(axis=1).argmax(), each] for each in range(5)]
    assert found.score == pytest.approx(np.mean(nested))
    assert found.plain == pytest.approx(table[0].mean())
    assert found.exponent == EXPONENTS[table.mean(axis=1).argmax()]
    assert found.score <= table.mean(axis=1).max()


def test_out_of_fold_no_row_has_a_say_in_how_it_is_taken(tmp_path):
    trials = planted_trials(tmp_path, [("rna", 1.0, None)])
    targets, probabilities, fold = calibrated((0.92, 0.08), rows=900)
    kept = replace(read_kept(tmp_path, trials.records), targets=targets, fold=fold)
    taken = taken_out_of_fold(kept, probabilities, F1)
    for each in range(5):
        here, others = fold == each, fold != each
        found = fit_correction(targets[others], probabilities[others], fold[others], F1)
        assert found is not None
        weights = (np.bincount(targets) / len(targets)) ** -found.exponent
        assert taken[here] == pytest.approx(weighed(probabilities[here], weights))
    turned = np.where(fold == 0, 1 - targets, targets)  # what is true of a fold leaves its own rows as they are, but for the shares
    assert (taken_out_of_fold(replace(kept, targets=turned), probabilities, F1)[fold == 1] != taken[fold == 1]).any()
    swapped = targets.copy()
    swapped[fold == 0] = np.random.default_rng(0).permutation(targets[fold == 0])
    assert (taken_out_of_fold(replace(kept, targets=swapped), probabilities, F1)[fold == 0] == taken[fold == 0]).all()
    assert taken_out_of_fold(kept, probabilities, Objective.parse("auroc")) is probabilities
    alone = replace(kept, fold=np.zeros(900, np.int64))
    assert (taken_out_of_fold(alone, probabilities, F1) == probabilities).all()  # one fold cannot tell


def test_what_does_not_pay_is_not_used():
    rng = np.random.default_rng(0)
    halves = rng.permutation(np.arange(200) % 2)
    assert fit_correction(halves, rng.dirichlet([1, 1], 200), rng.permutation(np.arange(200) % 5), F1) is None  # nothing to divide by
    targets, probabilities, _ = calibrated((0.9, 0.1))
    assert fit_correction(targets, probabilities, np.zeros(len(targets), int), F1) is None  # one fold cannot tell
    used = sum(fit_correction(*noise(seed), F1) is not None for seed in range(40))
    assert used <= 8


def noise(seed):
    """Balanced within a row or two, so that the shares say nothing, and probabilities that say nothing either."""
    rng = np.random.default_rng(seed)
    targets = rng.permutation(np.arange(150) < 70).astype(int)
    positive = rng.uniform(size=150)
    return targets, np.column_stack([1 - positive, positive]), rng.permutation(np.arange(150) % 5)


def test_a_class_that_no_row_has_is_never_taken():
    targets, probabilities, fold = calibrated((0.9, 0.1))
    three = np.column_stack([0.7 * probabilities, np.full(len(targets), 0.3)])
    found = fit_correction(targets, three, fold, F1)
    assert found is not None
    assert found.weights[2] == 0
    assert (found.apply(three).argmax(axis=1) < 2).all()


def imbalanced(folder, objectives):
    """A run whose designs rank well but give the rare class small probabilities."""
    trials = planted_trials(folder, [("rna", 1.5, None), ("labs", 1.0, None)], objectives=objectives)
    for number in range(2):
        path = predictions_file(folder, f"candidate{number}")
        arrays = dict(np.load(path))
        rare = (arrays["targets"] == 0) | (np.arange(len(arrays["targets"])) % 6 == 0)
        odds = arrays["probabilities"][rare] * [0.9, 0.1]
        held = {name: values[rare] for name, values in arrays.items() if name != "probabilities"}
        np.savez(path, **held, probabilities=odds / odds.sum(axis=1, keepdims=True))
    return trials


def test_the_correction_of_a_run_is_for_its_metric(tmp_path):
    trials = imbalanced(tmp_path / "f1", ("f1_macro", "macs"))
    kept = read_kept(trials.path, trials.records, trials.described_task)
    found = correction_of(trials, trials.records[:1])
    assert found == fit_correction(kept.targets, kept.outputs[0], kept.fold, F1)
    assert found is not None
    team = correction_of(trials, trials.records)
    assert team == fit_correction(kept.targets, kept.outputs.mean(axis=0), kept.fold, F1) != found
    assert correction_of(imbalanced(tmp_path / "auroc", ("auroc", "macs")), trials.records) is None  # it asks for no class
    assert correction_of(replace(trials, path=tmp_path / "nothing"), trials.records) is None
    assert correction_for(kept, kept.outputs[0], Objective.parse("macs")) is None


def test_the_scores_of_the_classes_that_are_taken_are_means_over_folds(tmp_path):
    trials = imbalanced(tmp_path, ("f1_macro", "macs"))
    kept = read_kept(trials.path, trials.records, trials.described_task)
    correction = correction_of(trials, trials.records[:1])
    assert correction is not None
    plain, corrected = (scores_of_classes(kept, each) for each in (kept.outputs[0], correction.apply(kept.outputs[0])))
    assert set(plain) == {"sensitivity", "specificity", "balanced_accuracy", "accuracy", "f1_macro"}
    assert plain["f1_macro"] == pytest.approx(correction.plain)
    assert corrected["sensitivity"] > plain["sensitivity"]
    assert corrected["specificity"] < plain["specificity"]
