"""The mean over the members, and the worst of several absent modalities."""

from __future__ import annotations

import math

import pytest

from fusearch.evaluators.training.summary import summarize, worst_missing


def test_the_summary_is_over_the_members_where_the_metric_is_defined() -> None:
    mean, spread, undefined = summarize([{"x": 1.0, "y": math.nan}, {"x": 3.0, "y": math.nan}, {"x": math.nan, "y": math.nan}])
    assert mean == {"x": 2.0}
    assert spread == {"x": pytest.approx(math.sqrt(2))}
    assert undefined == ["y"]
    assert summarize([{"x": 1.0}])[1] == {}  # one member has no spread


def test_the_worst_missing_modality_knows_the_direction() -> None:
    assert worst_missing([{"auroc": 0.9, "log_loss": 0.2}, {"auroc": 0.7, "log_loss": 0.1}]) == {
        "worst_missing_auroc": 0.7,
        "worst_missing_log_loss": 0.2,
    }
    assert worst_missing([]) == {}
