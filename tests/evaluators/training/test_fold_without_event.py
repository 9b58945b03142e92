"""A centre without an event does not stop a search."""

from __future__ import annotations

import numpy as np
import pytest

from fusearch.data.dataset import Dataset
from fusearch.errors import EvaluationError
from fusearch.evaluators import TrainingEvaluator
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


def test_training_rows_without_an_event_are_refused_before_anything_is_trained() -> None:
    rng = np.random.default_rng(0)
    splits = np.array(["train", "val", "test"]).repeat(20)
    targets = {"time": rng.exponential(9, 60) + 1, "event": np.where(splits == "train", 0, np.arange(60) % 2)}
    data = Dataset.from_arrays("toy", modalities={"x": rng.normal(size=(60, 3))}, targets=targets, task="survival", splits=splits)
    with pytest.raises(EvaluationError, match=r"^no event among the training rows of the one fold: nothing can be learned, expected .*$"):
        TrainingEvaluator(data, folds=1)
    assert len(TrainingEvaluator(data, folds=2).folds) == 2
