"""What is known of a design while its members are trained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from toy_data import make_data

from fusearch.evaluators.running_evaluation import RunningEvaluation
from fusearch.evaluators.training.member import Member, make_members
from fusearch.evaluators.training.members import TrainedMember
from fusearch.evaluators.training.optimization import Fit

MEMBERS = make_members(2, 2)


def trained(member: Member, accuracy: float, rows: int, **more: object) -> TrainedMember:
    fits = {"a": Fit(1, 2, 0.5), "fusion": Fit(2 + member.fold, 4, 0.4)}
    return TrainedMember(member, fits, {"accuracy": accuracy}, np.full((rows, 2), 0.5), 1.0 + member.seed, **more)  # type: ignore[arg-type]


def test_it_tells_each_fold_and_in_the_end_everything() -> None:
    data = make_data()
    folds = data.folds(2)
    told: list[tuple[int, Mapping[str, float]]] = []
    running = RunningEvaluation(MEMBERS, lambda step, values: told.append((step, values)))
    running.on_epoch(MEMBERS[0], "fusion", 1, {"loss": 0.7, "val_loss": 0.6})
    partial = []
    for member, accuracy in zip(MEMBERS, (0.5, 0.7, 0.8, 1.0), strict=True):
        assert not running.is_whole
        running.add(trained(member, accuracy, len(folds[member.fold].val), together=4))
        partial.append(running.partial({}))
    assert [found is not None for found in partial] == [False, True, False, True]
    assert running.is_whole
    first = partial[1]
    assert first is not None
    assert (first["accuracy"], len(first.details["members"])) == (pytest.approx(0.6), 2)
    whole = running.whole(data, folds, costs={"macs": 7.0}, details={"device": "cpu"})
    assert dict(whole) == {"accuracy": pytest.approx(0.75), "train_seconds": 1.5, "macs": 7.0}
    assert whole.details["best_epochs"] == {"a": 1, "fusion": 3}
    assert (whole.details["device"], whole.details["pack"]) == ("cpu", {"members": 4})
    assert whole.arrays["losses"].shape == (4, 2, 1, 2)
    assert sorted(whole.arrays["rows"].tolist()) == sorted(row for fold in folds for row in [*fold.val, *fold.val])
    assert told[0] == (1, {"loss": 0.7, "val_loss": 0.6, "epoch": 1.0, "fold": 0.0, "seed": 0.0})
    assert [values["members"] for _, values in told[1:]] == [1.0, 2.0, 3.0, 4.0]
