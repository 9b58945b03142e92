import numpy as np
import pytest
from planted_runs import planted_trials

from fusearch.contracts import Objective
from fusearch.inference.kept import NotEstimableError, read_kept
from fusearch.inference.resampling import Resampled, draw_rows, over_draws
from fusearch.metrics import METRICS, metric

DESIGNS = [("rna", 0.5, "best_unimodal"), ("F1 = cat(rna@L, labs@L) ->", 1.5, None), ("labs", 0.0, "best_unimodal")]


@pytest.fixture
def kept(tmp_path):
    return read_kept(tmp_path, planted_trials(tmp_path, DESIGNS, rows=60, folds=3).records)


def test_each_draw_has_as_many_rows_of_each_stratum_as_there_are():
    strata = np.array([0] * 30 + [1] * 7)
    weights = draw_rows(np.random.default_rng(0), strata=strata, groups=None, draws=50)
    assert (weights[:30].sum(axis=0) == 30).all()
    assert (weights[30:].sum(axis=0) == 7).all()
    assert 0.25 < (weights == 0).mean() < 0.45


def test_groups_are_drawn_whole():
    groups = np.repeat(np.arange(8), 5)
    weights = draw_rows(np.random.default_rng(0), strata=np.arange(40) % 2, groups=groups, draws=50)
    for group in range(8):
        rows = weights[groups == group]
        assert (rows == rows[0]).all()
    assert len(np.unique(weights.sum(axis=0))) == 1


def test_the_losses_of_a_draw_are_those_of_its_rows(kept):
    resampled = Resampled(kept, Objective.parse("auroc"), draws=4)
    weights = draw_rows(np.random.default_rng(0), strata=kept.strata, groups=None, draws=4)
    for fold in range(3):
        rows = np.repeat(np.arange(60), (weights[:, 2] * (kept.fold == fold)).astype(int))
        expected = -METRICS["auroc"](kept.targets[rows], kept.outputs[1][rows])
        assert resampled.losses[0][1, fold, 2] == pytest.approx(expected)
    out = np.flatnonzero(weights[:, 2] == 0)
    expected = np.mean(
        [METRICS["auroc"](kept.targets[rows], kept.outputs[1][rows]) for fold in range(3) if len(rows := out[kept.fold[out] == fold])]
    )
    assert resampled.left_out(np.array([0, 0, 1, 0]))[2] == pytest.approx(expected)


def test_the_best_and_the_gain_follow_the_direction(kept):
    for name in ("auroc", "log_loss"):
        resampled = Resampled(kept, Objective.parse(name), draws=40)
        best = resampled.best_of(np.array([0, 1, 2]))
        assert (best == 1).mean() > 0.9
        gain = resampled.gain(resampled.left_out(np.zeros(40, int)), resampled.left_out(np.ones(40, int)))
        assert np.nanmean(gain) > 0


def test_by_two_criteria_the_best_has_the_least_sum_of_ranks(kept):
    both = (Objective.parse("auroc"), Objective.parse("log_loss"))
    by_one = [Resampled(kept, both[0], criteria=[each], draws=40) for each in both]
    together = Resampled(kept, both[0], criteria=both, draws=40)
    places = [each.merits.argsort(axis=0).argsort(axis=0) for each in by_one]
    assert (together.merits == sum(places)).all()
    assert (together.best_of(np.array([0, 2])) == np.array([0, 2])[together.merits[[0, 2]].argmin(axis=0)]).all()
    assert (by_one[0].merits != by_one[1].merits).any()  # the loss is chosen by, the metric is scored
    assert (by_one[0].left_out(np.zeros(40, int)) == by_one[1].left_out(np.zeros(40, int))).all()


def test_by_two_criteria_the_simplest_is_near_in_both(tmp_path):
    same = [("rna", 1.0, None), ("F1 = cat(rna@L, labs@L) ->", 1.0, None), ("labs", -1.0, None)]
    kept = read_kept(tmp_path, planted_trials(tmp_path, same, rows=400).records)
    both = (Objective.parse("auroc"), Objective.parse("log_loss"))
    designs, order = np.arange(3), np.array([0, 1, 2])
    near = [Resampled(kept, both[0], criteria=criteria, draws=60).simplest_of(designs, order) for criteria in (both[:1], both[1:], both)]
    best = Resampled(kept, both[0], criteria=both, draws=60).best_of(designs)
    assert (near[2] <= best).all()  # cheaper than the best, or the best
    assert (near[2] < best).any()
    assert 2 not in near[2]


def test_the_simplest_is_the_first_in_order_within_an_error_of_the_best(tmp_path):
    same = [("rna", 1.0, None), ("F1 = cat(rna@L, labs@L) ->", 1.0, None), ("labs", -1.0, None)]
    kept = read_kept(tmp_path, planted_trials(tmp_path, same, rows=400).records)
    resampled = Resampled(kept, Objective.parse("auroc"), draws=60)
    everything = np.arange(3)
    assert (resampled.simplest_of(everything, np.array([2, 1, 0])) != 2).all()  # what is far from the best is not near
    cheap_first = (resampled.simplest_of(everything, np.array([0, 1, 2])) == 0).mean()
    dear_first = (resampled.simplest_of(everything, np.array([1, 0, 2])) == 0).mean()
    plain = (resampled.best_of(everything) == 0).mean()
    assert dear_first <= plain <= cheap_first
    assert dear_first < cheap_first


def test_one_fold_has_no_error_so_the_simplest_is_the_best(tmp_path):
    kept = read_kept(tmp_path, planted_trials(tmp_path, DESIGNS, rows=80, folds=1).records)
    resampled = Resampled(kept, Objective.parse("auroc"), draws=30)
    np.testing.assert_array_equal(resampled.simplest_of(np.arange(3), np.array([0, 1, 2])), resampled.best_of(np.arange(3)))


def test_a_metric_of_ones_own_is_drawn_less_often_and_a_cost_not_at_all(kept):
    @metric("hits", direction="maximize", kinds="classification")
    def hits(targets, outputs):
        return float(np.mean(outputs.argmax(axis=1) == targets))

    try:
        assert Resampled(kept, Objective.parse("hits"), draws=100).losses[0].shape == (3, 3, 10)
    finally:
        METRICS.remove("hits")
    with pytest.raises(NotEstimableError, match="macs is no metric"):
        Resampled(kept, Objective.parse("macs"))


def test_many_rows_are_drawn_less_often(kept, monkeypatch):
    monkeypatch.setattr("fusearch.inference.resampling._FEWEST_DRAWS", 5)
    monkeypatch.setattr("fusearch.inference.resampling._MOST_DRAWN_ROWS", 60 * 7)
    assert Resampled(kept, Objective.parse("auroc")).losses[0].shape == (3, 3, 7)


def test_an_interval_needs_half_of_the_draws():
    mean, low, high = over_draws(np.append(np.linspace(0, 1, 101), [np.nan] * 50))
    assert (mean, low, high) == (pytest.approx(0.5), pytest.approx(0.05), pytest.approx(0.95))
    with pytest.raises(NotEstimableError, match="undefined on most draws"):
        over_draws(np.array([1.0, np.nan, np.nan]))
