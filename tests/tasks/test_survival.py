"""What survival makes of its two columns."""

from __future__ import annotations

import numpy as np
import pytest
from sksurv.nonparametric import kaplan_meier_estimator

from fusearch.errors import DataError
from fusearch.tasks.columns import LabelColumn
from fusearch.tasks.survival import DiscreteSurvival, Survival, kaplan_meier


def columns(times, events):
    ids = [f"p{row}" for row in range(len(times))]
    return {
        "time": LabelColumn("days", [str(time) for time in times], ids, "labels.csv"),
        "event": LabelColumn("died", [str(event) for event in events], ids, "labels.csv"),
    }


def test_targets_are_time_and_event_and_times_are_deciles_of_the_events():
    times = np.arange(1, 101) * 12.34
    task, targets = Survival.encode(columns(times, np.arange(100) % 2))
    assert targets.dtype == np.float32
    np.testing.assert_allclose(targets, np.stack([times, np.arange(100) % 2], axis=1), rtol=1e-6)
    assert task.labels[:2] == ("146", "267")
    assert task.outputs[:3] == ("risk", "survival at 146", "survival at 267")
    assert len(task.outputs) == 10


def test_the_times_may_be_given_and_events_be_words():
    task, targets = DiscreteSurvival.encode(columns([1, 2], ["True", "false"]), ["365", "730.5"])
    assert task.times.tolist() == [365, 730.5]
    assert targets[:, 1].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("times", "events", "message"),
    [
        ([5, 0], [1, 0], r"labels.csv: column 'days' holds '0' in row 2 \(id 'p1'\), expected a time above 0"),
        ([5, -1], [1, 0], r"column 'days' holds '-1' in row 2 \(id 'p1'\), expected a time above 0"),
        ([5, 6], [1, 2], r"column 'died' holds '2' in row 2 \(id 'p1'\), expected 0 or 1"),
        ([5, 6], [0, 0], "labels.csv: column 'died' says of no row that the event happened, expected some events"),
    ],
)
def test_wrong_rows_are_refused(times, events, message):
    with pytest.raises(DataError, match=message):
        Survival.encode(columns(times, events))


@pytest.mark.parametrize("labels", [(), ("a",), ("2", "1"), ("0", "1"), ("nan",)])
def test_times_rise_from_above_0(labels):
    with pytest.raises(DataError, match="expected rising numbers above 0"):
        Survival("days", labels)


def test_strata_tell_events_and_early_from_late():
    rng = np.random.default_rng(0)
    targets = np.stack([rng.exponential(9, 200), rng.integers(0, 2, 200)], axis=1)
    strata = Survival("days", ("1",)).strata(targets)
    for stratum in np.unique(strata):
        assert np.ptp(targets[strata == stratum, 1]) == 0
    assert len(np.unique(strata)) >= 8


def test_the_summary_counts_events_and_tells_the_follow_up():
    targets = np.array([[1, 1], [2, 0], [3, 0], [4, 1]])
    assert Survival("days", ("1",)).summary(targets) == {"events": 2, "censored": 2, "median follow-up": 3.0}


def test_the_constant_predictor_is_the_kaplan_meier_estimate():
    rng = np.random.default_rng(0)
    targets = np.stack([rng.integers(1, 9, 50), rng.integers(0, 2, 50)], axis=1)
    at, survival = kaplan_meier_estimator(targets[:, 1] == 1, targets[:, 0])
    found = kaplan_meier(targets[:, 0], targets[:, 1] == 1)
    np.testing.assert_allclose(found, (at, survival))
    told = Survival("days", ("0.5", "3", "100")).constant(targets)
    np.testing.assert_allclose(told[1:], [1, survival[at == 3][0], survival[-1]])
    assert told[0] == pytest.approx(1 - told[1:].mean())
