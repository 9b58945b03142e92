"""Metrics of survival keep the laws of a metric, and are those of scikit-survival."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from fusearch.errors import EvaluationError
from fusearch.metrics import METRICS
from fusearch.testing import MetricSuite

theirs = pytest.importorskip("sksurv.metrics", reason="needs fusearch[survival]")

TIMES = ("2", "5", "9")


def held_out(rng: np.random.Generator, rows: int) -> tuple[Any, Any]:
    targets = np.stack([rng.exponential(8, rows) + 0.1, rng.permutation(np.arange(rows) % 2)], axis=1).astype(np.float32)
    survival = np.sort(rng.random((rows, len(TIMES))), axis=1)[:, ::-1]
    return targets, np.column_stack([1 - survival.mean(axis=1), survival])


class Laws(MetricSuite):
    labels = TIMES

    def cases(self) -> list[Any]:
        rng = np.random.default_rng(0)
        return [*(held_out(rng, rows) for rows in (60, 40, 5)), (np.ones((6, 2), np.float32), held_out(rng, 6)[1])]

    def perfect(self, targets: Any, outputs: Any) -> Any:
        alive = targets[:, :1] > np.array(TIMES, float)
        return np.column_stack([-targets[:, 0], alive.astype(float)])


class TestConcordance(Laws):
    name = "concordance"


class TestIntegratedBrier(Laws):
    name = "integrated_brier"


class TestDynamicAUC(Laws):
    name = "dynamic_auc"


def test_they_are_those_of_scikit_survival() -> None:
    targets, outputs = held_out(np.random.default_rng(3), 80)
    held = np.array([(event == 1, time) for time, event in targets], [("event", bool), ("time", float)])
    times = np.array(TIMES, float)
    assert (
        METRICS["concordance"](targets, outputs, TIMES) == theirs.concordance_index_censored(held["event"], held["time"], outputs[:, 0])[0]
    )
    assert METRICS["integrated_brier"](targets, outputs, TIMES) == pytest.approx(
        theirs.integrated_brier_score(held, held, outputs[:, 1:], times)
    )
    area = theirs.cumulative_dynamic_auc(held, held, 1 - outputs[:, 1:], times)[1]
    assert METRICS["dynamic_auc"](targets, outputs, TIMES) == pytest.approx(area)


def test_a_time_beyond_the_follow_up_is_not_scored() -> None:
    targets, outputs = held_out(np.random.default_rng(3), 80)
    late = np.column_stack([outputs, np.full(80, 0.5)])
    for name in ("integrated_brier", "dynamic_auc"):
        assert METRICS[name](targets, late, (*TIMES, "1000")) == METRICS[name](targets, outputs, TIMES)
    for name in METRICS:
        if "survival" in METRICS[name].kinds and METRICS[name].labelled:
            assert np.isnan(METRICS[name](targets, outputs[:, :2], ("1000",)))


def test_without_the_library_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sksurv.metrics", None)
    monkeypatch.setitem(sys.modules, "sksurv", None)
    with pytest.raises(EvaluationError, match=r"^metrics of survival need scikit-survival: pip install 'fusearch\[survival\]'$"):
        METRICS["concordance"](*held_out(np.random.default_rng(0), 10), TIMES)
