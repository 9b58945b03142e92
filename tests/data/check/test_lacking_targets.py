"""What `check` tells of targets from which nothing, or not all, can be learned."""

from typing import Any

import numpy as np
import pytest

from fusearch.data.check.pitfalls import find_problems
from fusearch.data.dataset import Dataset

ROWS = 100
SPLITS = np.array(["train"] * 60 + ["val"] * 20 + ["test"] * 20)
TIMES = np.random.default_rng(1).exponential(50, ROWS) + 1


def told(events: Any, times: Any = TIMES, *, at: tuple[str, ...] = ("20", "40"), **options: Any) -> list[tuple[str, str]]:
    view = np.random.default_rng(0).normal(size=(ROWS, 12))
    targets = {"time": times, "event": np.asarray(events).astype(int)}
    options = {"splits": SPLITS, "task": "survival", "target_name": "days", "labels": at, **options}
    data = Dataset.from_arrays("toy", modalities={"a": options.pop("view", view)}, targets=targets, **options)
    return [(problem.severity, problem.what) for problem in find_problems(data)]


def events_in(*rows: int) -> Any:
    return np.isin(np.arange(ROWS), rows)


EVERY = np.arange(ROWS) % 2


def test_sound_targets_are_no_problem() -> None:
    assert told(EVERY) == []


def test_without_an_event_or_a_second_time_nothing_can_be_learned() -> None:
    assert told(events_in(90)) == [("error", "no event in train and val: nothing can be learned")]
    assert told(EVERY, np.full(ROWS, 10.0)) == [("error", "one time, 10, in every row in train and val: nothing can be learned")]


def test_splits_and_folds_without_an_event_are_counted() -> None:
    found = told(events_in(70), TIMES + 1000 * events_in(99), at=(f"{TIMES[70] + 1:.3f}",))
    assert ("warning", "no event in train: nothing can be learned there") in found
    assert ("warning", "no event in test: metrics are undefined there") in found
    assert ("warning", "no event among the training rows of 1 of 5 folds: nothing can be learned there") in found
    assert ("warning", "no event among the held-out rows of 4 of 5 folds: metrics are undefined there") in found
    assert not [what for _, what in found if "in val" in what]


@pytest.mark.parametrize(("at", "what"), [(("5000", "9000"), "no time"), (("40", "5000"), "1 of 2 times"), (("0.5", "40"), "1 of 2 times")])
def test_times_outside_the_follow_up_are_told_with_its_range(at: tuple[str, ...], what: str) -> None:
    ((severity, found),) = told(EVERY, at=at)
    times = TIMES[:80].astype(np.float32)
    assert severity == "warning"
    assert found.startswith(f"`times`: {what} can be scored; ")
    assert (
        f"the first event is at {times[EVERY[:80] == 1].min():g} and the follow-up ends at {times.max():g}, in the unit of 'days'" in found
    )


def test_a_copy_of_the_event_is_a_leak_as_one_of_the_time_is() -> None:
    for leak in (EVERY, TIMES):
        view = np.random.default_rng(0).normal(size=(ROWS, 12))
        view[:, 3] = leak
        ((severity, what),) = told(EVERY, view=view)
        assert severity == "warning"
        assert what.endswith("alone gives the target (100.0% on train); leave it out if it is known only afterwards")
    assert told(np.ones(ROWS)) == []  # where all have the event, no column gives it away


def test_a_label_that_does_not_vary_cannot_be_learned() -> None:
    view = np.random.default_rng(0).normal(size=(ROWS, 12))
    targets = {"a": EVERY, "b": events_in(90).astype(int)}
    data = Dataset.from_arrays("toy", modalities={"a": view}, targets=targets, task="multilabel", splits=SPLITS)
    assert [problem.what for problem in find_problems(data)] == ["label 'b' is 0 in every row of train and val: it cannot be learned"]
