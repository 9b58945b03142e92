from __future__ import annotations

import io
from collections.abc import Callable

import pandas as pd

from fusearch.reports.trials_table import trials_frame
from fusearch.run import Run


def test_every_trial_is_a_row_and_every_metric_a_column(make_run: Callable[..., Run]) -> None:
    run = make_run(20, failures=3)
    frame = trials_frame(run)
    assert len(frame) == 23
    assert list(frame.columns[:9]) == ["trial", "state", "reference", "on_front", "digest", "candidate", "formula", "auroc", "auroc_spread"]
    assert {"macs", "parameters", "recipe.width", "seconds", "reason"} <= set(frame.columns)
    assert frame["on_front"].sum() == len(run.front())
    record = run.records()[7]
    assert frame.loc[7, "auroc"] == record.values["auroc"]
    assert frame.loc[7, "formula"] == record.formula
    assert frame.loc[frame["state"] == "failed", "auroc"].isna().all()


def test_the_table_survives_csv(make_run: Callable[..., Run]) -> None:
    frame = trials_frame(make_run(12))
    read = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    assert list(read["formula"]) == list(frame["formula"])
    assert (read["auroc"] - frame["auroc"]).abs().max() < 1e-12


def test_an_empty_run_has_an_empty_table(make_run: Callable[..., Run]) -> None:
    frame = trials_frame(make_run(0))
    assert frame.empty
    assert "auroc" in frame.columns
