"""When a design that is half trained is given up."""

import numpy as np
import pytest

from fusearch.contracts import Objective
from fusearch.inference.race import LEVEL, PRIOR_FOLDS, Lost, Race, Rival, chance_to_catch_up

AUROC, LOSS = Objective.parse("auroc"), Objective.parse("log_loss")


def rival(trial=3, auroc=0.8, log_loss=0.5, folds=5, spread=0.02):
    scores = {"auroc": dict.fromkeys(range(folds), auroc), "log_loss": dict.fromkeys(range(folds), log_loss)}
    return Rival(trial, scores, {"auroc": spread, "log_loss": spread})


def told(auroc, log_loss=()):
    return {"auroc": dict(enumerate(auroc)), "log_loss": dict(enumerate(log_loss))}


def test_the_chance_is_that_of_the_folds_to_come_in_the_model():
    """Against draws: a variance from its posterior, a mean from its own, then the folds to come."""
    rng, seen, folds, spread, draws = np.random.default_rng(0), np.array([-0.03, 0.01]), 5, 0.02, 400_000
    freedom = PRIOR_FOLDS + len(seen) - 1
    variance = (PRIOR_FOLDS * spread**2 + ((seen - seen.mean()) ** 2).sum()) / rng.chisquare(freedom, draws)
    mean = rng.normal(seen.mean(), np.sqrt(variance / len(seen)))
    to_come = rng.normal(mean, np.sqrt(variance), (folds - len(seen), draws))
    expected = ((seen.sum() + to_come.sum(axis=0)) >= 0).mean()
    assert chance_to_catch_up(list(seen), folds, spread) == pytest.approx(expected, abs=0.003)


def test_the_chance_is_right_as_often_as_it_says():
    """Designs of any worth: of those given a chance of p, the share p is level in the end, at each number of folds."""
    rng, spread, folds = np.random.default_rng(1), 1.0, 5
    scale = np.sqrt(PRIOR_FOLDS * spread**2 / rng.chisquare(PRIOR_FOLDS, 6000))
    gains = rng.normal(rng.uniform(-6, 6, 6000), scale, (folds, 6000))
    catches_up = gains.mean(axis=0) >= 0
    for done in (1, 2, 4):
        chances = np.array([chance_to_catch_up(list(each), folds, spread) for each in gains[:done].T])
        low = (chances > 0.01) & (chances < 0.2)
        assert catches_up[low].mean() == pytest.approx(chances[low].mean(), abs=0.025)


def test_a_chance_falls_with_the_gap_and_with_the_folds_and_rises_with_the_spread():
    assert chance_to_catch_up([-0.04], 5, 0.02) < chance_to_catch_up([-0.02], 5, 0.02) < 0.5
    assert chance_to_catch_up([-0.02] * 3, 5, 0.02) < chance_to_catch_up([-0.02], 5, 0.02)
    assert chance_to_catch_up([-0.02], 5, 0.01) < chance_to_catch_up([-0.02], 5, 0.02)
    assert chance_to_catch_up([0.02], 5, 0.02) > 0.5


@pytest.mark.parametrize(("gain", "chance"), [(-0.1, 0.0), (0.0, 1.0), (0.1, 1.0)])
def test_without_any_spread_a_fold_decides(gain, chance):
    assert chance_to_catch_up([gain], 5, 0.0) == chance


def test_a_race_is_lost_against_the_rival_that_is_hardest_to_catch():
    lost = Race((AUROC,), (rival(3), rival(4, auroc=0.9))).judge(told([0.7, 0.7]))
    assert (lost.folds, lost.num_folds, lost.rival) == (2, 5, 4)
    assert 0 < lost.chance < LEVEL


def test_a_design_that_is_level_in_one_metric_goes_on():
    race = Race((AUROC, LOSS), (rival(),))
    assert race.judge(told([0.7], [0.5])) is None
    assert race.judge(told([0.8], [0.7])) is None
    assert race.judge(told([0.7], [0.7])) is not None


def test_two_rivals_that_beat_a_design_in_one_metric_each_do_not_stop_it():
    good, sure = rival(3, auroc=0.9, log_loss=0.9), rival(4, auroc=0.5, log_loss=0.2)
    assert Race((AUROC, LOSS), (good, sure)).judge(told([0.7], [0.5])) is None


def test_the_chances_in_several_metrics_add_up():
    scores = told([0.758], [0.542])
    single = [Race((metric,), (rival(),)).judge(scores).chance for metric in (AUROC, LOSS)]
    assert all(LEVEL / 2 < chance < LEVEL for chance in single)
    assert Race((AUROC, LOSS), (rival(),)).judge(scores) is None


@pytest.mark.parametrize("scores", [told([]), {}, told([0.1] * 5)])
def test_without_a_fold_and_after_the_last_nothing_is_stopped(scores):
    assert Race((AUROC,), (rival(),)).judge(scores) is None


def test_a_fold_without_a_value_is_left_out():
    partly = Rival(3, {"auroc": {0: 0.8, 2: 0.8, 3: 0.8, 4: 0.8}}, {"auroc": 0.02})
    lost = Race((AUROC,), (partly,)).judge({"auroc": {0: 0.6, 1: 0.9, 2: 0.6}})
    assert (lost.folds, lost.num_folds) == (2, 4)


def test_the_reason_tells_the_chance_and_the_rival():
    assert Lost(2, 5, 12, 0.0132).reason == "stopped after fold 2 of 5: 1.3 % chance to catch up with trial 12, which costs no more"
    assert "less than 0.1 % chance" in Lost(2, 5, 12, 1e-9).reason
