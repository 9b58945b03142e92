"""Counts of what the trainings of a run took; those of races are in `test_trials.py`, beside what races leave alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from fusearch.effort import count_trainings
from fusearch.layout import STREAMS
from fusearch.study import TrialRecord


def records(details: list[dict[str, Any]]) -> list[TrialRecord]:
    plain = TrialRecord(number=0, state="complete", digest="", formula="", recipe={}, objectives={})
    return [replace(plain, number=number, details=each) for number, each in enumerate(details)]


def test_streams_that_were_asked_for_and_found_are_counted(tmp_path: Path) -> None:
    told = [{"streams": {"asked": 10, "found": 4}}, {"streams": {"asked": 5, "found": 5}}, {}, {"streams": "of someone else"}]
    assert count_trainings(records(told), None)["streams"] == {"asked": 15, "found": 9, "bytes": 0}
    (tmp_path / STREAMS).mkdir()
    (tmp_path / STREAMS / "kept").write_bytes(b"1234")
    assert count_trainings([], tmp_path)["streams"] == {"asked": 0, "found": 0, "bytes": 4}


def test_packs_are_counted_and_what_they_were_not_by_cause() -> None:
    told = [{"pack": {"loop": why}} for why in ("no rule", "no rule", "a buffer")]
    told += [{}, {"pack": {"members": 5}}, {"pack": {"members": 3, "eager": "a wait"}}, {"pack": "of someone else"}]
    found = count_trainings(records(told), None)
    assert (found["packed"], found["in_the_loop"], found["not_captured"]) == (2, {"no rule": 2, "a buffer": 1}, {"a wait": 1})
    more_seeds = [replace(record, more_seeds_of=0) for record in records(told)]
    assert count_trainings([*records(told), *more_seeds], None) == found
