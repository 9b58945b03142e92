import numpy as np
import pytest

from fusearch.contracts import Objective
from fusearch.inference.paired import holm, paired_difference, score_interval
from fusearch.metrics import METRICS

AUROC = Objective.parse("auroc")


def outputs(rng, targets, skill):
    positive = 1 / (1 + np.exp(-(skill * targets + rng.normal(size=len(targets)))))
    return np.column_stack([1 - positive, positive])


def test_a_better_design_is_a_gain_and_a_worse_one_a_loss():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 200)
    weak, strong = outputs(rng, targets, 0.3), outputs(rng, targets, 3.0)
    better = paired_difference(AUROC, targets, weak, strong, strata=targets)
    worse = paired_difference(AUROC, targets, strong, weak, strata=targets)
    assert (better.claim(), worse.claim()) == ("gain", "loss")
    assert better.difference == pytest.approx(-worse.difference)
    assert better.interval[0] < better.difference < better.interval[1]
    assert better.p < 0.001 < worse.p
    log_loss = paired_difference(Objective.parse("log_loss"), targets, weak, strong, strata=targets)
    assert log_loss.claim() == "gain"


def test_the_same_design_twice_is_no_clear_gain():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 60)
    same = outputs(rng, targets, 1.0)
    found = paired_difference(AUROC, targets, same, same, strata=targets)
    assert (found.claim(), found.difference, found.interval, found.p) == ("no clear gain", 0.0, (0.0, 0.0), 1.0)


def test_a_gain_that_the_correction_takes_is_none():
    rng = np.random.default_rng(3)
    targets = rng.integers(0, 2, 60)
    found = paired_difference(AUROC, targets, outputs(rng, targets, 0.3), outputs(rng, targets, 3.0), strata=targets)
    assert (found.claim(0.04), found.claim(0.06)) == ("gain", "no clear gain")


def test_the_interval_of_a_score_holds_it_and_narrows_with_the_rows():
    rng = np.random.default_rng(0)
    widths = []
    for rows in (50, 800):
        targets = rng.integers(0, 2, rows)
        said = outputs(rng, targets, 1.0)
        low, high = score_interval(AUROC, targets, said, strata=targets)
        assert low < METRICS["auroc"](targets, said) < high
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.4)
    assert score_interval(AUROC, np.ones(10, int), np.full((10, 2), 0.5), strata=np.ones(10, int)) is None


def test_of_many_rows_fewer_draws_do():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 50_000)
    found = paired_difference(AUROC, targets, outputs(rng, targets, 0.3), outputs(rng, targets, 3.0), strata=targets)
    assert found.p == pytest.approx(1 / 401)


def test_undefined_rows_give_none():
    targets = np.ones(10, int)
    assert paired_difference(AUROC, targets, np.full((10, 2), 0.5), np.full((10, 2), 0.5), strata=targets) is None


def test_groups_are_blocks():
    """Rows of a group that err alike are one piece of evidence, so the interval is wider than that of as many single rows."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 20)
    targets = rng.integers(0, 2, 240)
    shared = rng.normal(size=12)[groups]
    first = outputs(rng, targets, 1.0)
    logits = targets * (1.0 + 2.0 * shared) + rng.normal(size=240)
    second = np.column_stack([1 / (1 + np.exp(logits)), 1 / (1 + np.exp(-logits))])
    widths = []
    for blocks in (None, groups):
        found = paired_difference(AUROC, targets, first, second, strata=targets, groups=blocks)
        widths.append(found.interval[1] - found.interval[0])
    assert widths[1] > 1.2 * widths[0]


def test_the_interval_holds_zero_about_as_often_as_it_says_on_shuffled_labels():
    """90 % of the intervals should; of 200, a binomial count is between 168 and 191 with 99.5 %."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        targets = np.repeat([0, 1], 40)
        shared = rng.normal(size=80)
        pair = [np.column_stack([-scores, scores]) for scores in (shared + rng.normal(size=80), shared + rng.normal(size=80))]
        found = paired_difference(AUROC, rng.permutation(targets), *pair, strata=np.zeros(80, int), draws=300)
        held += found.interval[0] <= 0 <= found.interval[1]
    assert 168 <= held <= 191


def test_holm_multiplies_the_smallest_most_and_keeps_the_order():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.02]) == [0.02]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
