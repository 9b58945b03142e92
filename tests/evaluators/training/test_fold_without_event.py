"""A centre without an event does not stop a search."""

from __future__ import annotations

import numpy as np

from fusearch.data.dataset import Dataset
from fusearch.evaluators.training.members import score


def test_the_fold_of_a_centre_without_an_event_is_scored_as_undefined() -> None:
    rng = np.random.default_rng(0)
    groups = np.array(["a", "b", "c"]).repeat(20)
    events = np.where(groups == "b", 0, np.arange(60) % 2)
    targets = {"time": rng.exponential(9, 60) + 1, "event": events}
    data = Dataset.from_arrays("toy", modalities={"x": rng.normal(size=(60, 3))}, targets=targets, task="survival", groups=groups)
    for centre in ("a", "b"):
        rows = np.flatnonzero(groups == centre)
        values = score(np.tile(data.task.constant(data.targets), (len(rows), 1)), data.targets[rows], data.task)
        assert set(values) >= {"concordance", "integrated_brier", "dynamic_auc"}
        assert [np.isnan(value) for value in values.values()] == [centre == "b"] * len(values)
