"""Groups of predicted risk: their curves and their test are those of scikit-survival."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sksurv.compare import compare_survival
from sksurv.nonparametric import kaplan_meier_estimator

from fusearch.inference.kept import KeptPredictions
from fusearch.inference.risk_groups import has_risk, log_rank, risk_groups
from fusearch.tasks.regression import Regression
from fusearch.tasks.survival import Survival


def kept(rows: int) -> KeptPredictions:
    rng = np.random.default_rng(0)
    risk = rng.random(rows)
    targets = np.stack([np.ceil(rng.exponential(20 * np.exp(-2 * risk))) + 1, rng.integers(0, 2, rows)], axis=1)
    outputs, task = np.stack([risk, 1 - risk], axis=1)[None], Survival("days", ("9",))
    return KeptPredictions(np.arange(rows) % 3, targets, np.zeros(rows, int), None, outputs, task)


def even(rows: int) -> NDArray[np.float64]:
    return np.ones((rows, 4))


def test_groups_are_thirds_of_the_risk_with_the_curves_of_kaplan_and_meier() -> None:
    found = kept(90)
    told = risk_groups(found, 0, even(90))
    assert [group.name for group in told.groups] == ["low risk", "middle risk", "high risk"]
    assert [group.rows for group in told.groups] == [30, 30, 30]
    rows = np.argsort(found.outputs[0][:, 0])[:30]
    at, survival = kaplan_meier_estimator(found.targets[rows, 1] == 1, found.targets[rows, 0])
    np.testing.assert_allclose(told.groups[0].x[1:], at)
    np.testing.assert_allclose(told.groups[0].y[1:], survival, atol=1e-4)
    assert told.groups[0].low == told.groups[0].y  # of draws that are the rows themselves
    assert [group.at_risk[0] for group in told.groups] == [30, 30, 30]
    assert told.groups[1].at_risk[2] == (found.targets[np.argsort(found.outputs[0][:, 0])[30:60], 0] >= told.counted[2]).sum()


@pytest.mark.parametrize("groups", [2, 3, 4])
def test_the_log_rank_test_is_that_of_scikit_survival(groups: int) -> None:
    found = kept(80)
    held = np.array([(event == 1, time) for time, event in found.targets], [("event", bool), ("time", float)])
    group = np.arange(80) % groups
    assert log_rank(held["time"], held["event"], group) == pytest.approx(compare_survival(held, group)[1])


def test_what_cannot_be_compared_has_no_p() -> None:
    assert log_rank(np.arange(4.0), np.array([True] * 4), np.zeros(4, int)) is None
    assert log_rank(np.arange(4.0), np.array([False] * 4), np.arange(4)) is None


def test_few_rows_are_halves_and_fewer_are_none() -> None:
    assert [group.name for group in risk_groups(kept(12), 0, even(12)).groups] == ["low risk", "high risk"]
    assert [has_risk(kept(rows)) for rows in (9, 10)] == [False, True]


def test_a_number_is_no_risk() -> None:
    found = kept(30)
    number = KeptPredictions(found.fold, found.targets[:, 0], found.strata, None, found.outputs[:, :, 0], Regression("days"))
    assert not has_risk(number)
