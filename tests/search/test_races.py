"""Who races against whom."""

from dataclasses import replace

import pytest

from fusearch.contracts import Objective
from fusearch.search.races import Races
from fusearch.study import TrialFacts

SCORE, MACS, LOSS = Objective.parse("score:max"), Objective.parse("macs"), Objective.parse("log_loss")


def facts(scores, log_loss=None):
    metrics = [{"score": value, **({} if log_loss is None else {"log_loss": log_loss})} for value in scores]
    return TrialFacts(details={"members": [{"fold": fold, "seed": 0, "metrics": each} for fold, each in enumerate(metrics)]})


def add(races, trial, score, macs, *, folds=5, log_loss=None):
    races.add(trial, [score, macs], facts([score + 0.01 * ((fold + trial) % 3 - 1) for fold in range(folds)], log_loss))


@pytest.fixture
def races():
    """Ten finished designs: the dearer, the better, but for trial 9, which is cheap and bad."""
    made = Races([SCORE, MACS])
    for trial in range(9):
        add(made, trial, 0.5 + 0.05 * trial, 100.0 * (trial + 1))
    add(made, 9, 0.4, 100.0)
    return made


@pytest.mark.parametrize(("macs", "trial"), [(100.0, 0), (150.0, 0), (500.0, 4), (5000.0, 8)])
def test_a_candidate_has_to_beat_the_best_that_costs_no_more(races, macs, trial):
    race = races.race({"macs": macs})
    assert [rival.trial for rival in race.rivals] == [trial]
    assert race.metrics == (SCORE,)
    assert race.rivals[0].scores["score"][2] == pytest.approx(0.5 + 0.05 * trial + 0.01 * ((2 + trial) % 3 - 1))


def test_the_cheapest_has_no_rival(races):
    assert races.race({"macs": 99.0}) is None


def test_what_folds_differ_by_is_learned_from_the_other_designs(races):
    assert races.race({"macs": 500.0}).rivals[0].spread["score"] == pytest.approx(0.0115, abs=0.005)


def test_nobody_races_before_enough_is_known():
    races = Races([SCORE, MACS])
    for trial in range(Races.FEWEST):
        assert races.race({"macs": 1e9}) is None
        add(races, trial, 0.5, 100.0)
    assert races.race({"macs": 1e9}) is not None


def test_a_cost_that_is_known_only_after_training_ends_all_races(races):
    assert races.race({}) is None


def test_two_folds_are_too_few():
    races = Races([SCORE, MACS])
    for trial in range(9):
        add(races, trial, 0.5, 100.0, folds=2)
    assert races.race({"macs": 1e9}) is None


def test_a_design_that_tells_no_folds_is_passed_over(races):
    races.add(10, [0.99, 1.0], TrialFacts(details={"members": 5}))
    races.add(11, [0.99, 1.0], facts([0.99] * 4))
    assert races.race({"macs": 50.0}) is None


def test_a_metric_without_a_value_in_a_fold_of_the_first_design_does_not_end_the_races():
    races = Races([SCORE, MACS])
    add(races, 0, 0.5, 100.0, folds=4)
    for trial in range(1, 1 + Races.FEWEST):
        assert races.race({"macs": 1e9}) is None
        add(races, trial, 0.5, 100.0)
    assert len(races.race({"macs": 1e9}).rivals[0].scores["score"]) == 5
    add(races, 99, 9.0, 100.0, folds=4)
    assert races.race({"macs": 1e9}).rivals[0].trial != 99


def test_a_design_that_breaks_a_bound_is_no_rival():
    races = Races([SCORE, Objective.parse("macs<=300")])
    for trial in range(6):
        add(races, trial, 0.5 + 0.05 * trial, 100.0 * (trial + 1))
    assert [rival.trial for rival in races.race({"macs": 1000.0}).rivals] == [2]


def test_of_equals_the_first_is_the_rival(races):
    add(races, 13, 0.5 + 0.05 * 4, 500.0)  # its folds are those of trial 4
    assert [rival.trial for rival in races.race({"macs": 500.0}).rivals] == [4]


def test_what_designs_are_picked_by_counts_beside_the_objectives():
    races = Races([SCORE, MACS], [SCORE, LOSS])
    for trial in range(6):
        add(races, trial, 0.5 + 0.05 * trial, 100.0, log_loss=0.2 + 0.1 * abs(trial - 3))
    race = races.race({"macs": 100.0})
    assert race.metrics == (SCORE, LOSS)
    assert [rival.trial for rival in race.rivals] == [3, 4, 5], "the best score, the least loss, and what lies between"


def test_a_criterion_that_is_not_told_by_fold_counts_for_nothing(races):
    beside = Races([SCORE, MACS], [SCORE, LOSS])
    for trial in range(6):
        add(beside, trial, 0.5, 100.0)
    assert beside.race({"macs": 100.0}).metrics == (SCORE,)


def test_several_measured_objectives_race_together():
    accuracy = Objective.parse("other:min")
    races = Races([SCORE, accuracy, MACS])
    for trial in range(6):
        members = [{"fold": fold, "seed": 0, "metrics": {"score": 0.1 * trial, "other": float(trial)}} for fold in range(5)]
        races.add(trial, [0.1 * trial, float(trial), 100.0], TrialFacts(details={"members": members}))
    race = races.race({"macs": 100.0})
    assert race.metrics == (SCORE, accuracy)
    assert [rival.trial for rival in race.rivals] == [0, 1, 2, 3, 4, 5], "none of them beats another in both"


def test_it_is_counted_how_many_designs_lose_at_once_or_would_have(races):
    """What was trained to the end counts by its first fold, so that the share is known also where nothing races."""

    def share():
        return races.race({"macs": 500.0}).lost_at_once

    lost, of = Races.PRIOR
    counted = len(races._lost_at_once)
    assert share() == pytest.approx((sum(races._lost_at_once) + lost) / (counted + of))
    before = sum(races._lost_at_once)
    for trial, (score, is_lost) in enumerate([(0.3, True), (0.71, False)], start=20):
        add(races, trial, score, 500.0)
        before, counted = before + is_lost, counted + 1
        assert share() == pytest.approx((before + lost) / (counted + of))
    for folds in (1, 2):
        races.add(30 + folds, [], replace(facts([0.3] * folds), raced={"folds": folds, "num_folds": 5, "rival": 4, "chance": 0.01}))
        before, counted = before + (folds == 1), counted + 1
        assert share() == pytest.approx((before + lost) / (counted + of))


def test_references_and_recipes_that_left_say_nothing_of_how_many_lose_at_once(races):
    share = races.race({"macs": 500.0}).lost_at_once
    races.add(20, [0.3, 500.0], facts([0.3] * 5), is_reference=True)
    races.add(21, [], replace(facts([]), raced={"epoch": 20, "place": 2, "recipes": 2}))
    assert races.race({"macs": 500.0}).lost_at_once == share


def test_the_newest_designs_tell_how_many_lose_at_once(races):
    for trial in range(20, 20 + Races.COUNTED):
        races.add(trial, [], replace(facts([0.3]), raced={"folds": 1, "num_folds": 5, "rival": 4, "chance": 0.01}))
    assert races.race({"macs": 500.0}).lost_at_once == pytest.approx((Races.COUNTED + 1) / (Races.COUNTED + 3))
