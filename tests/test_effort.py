"""Counts of what the trainings of a run took; those of races are in `test_trials.py`, beside what races leave alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fusearch.effort import count_loops, count_streams
from fusearch.study import TrialRecord


def records(details: list[dict[str, Any]]) -> list[TrialRecord]:
    plain = TrialRecord(number=0, state="complete", digest="", formula="", recipe={}, objectives={})
    return [replace(plain, number=number, details=each) for number, each in enumerate(details)]


def test_streams_that_were_asked_for_and_found_are_counted() -> None:
    told = [{"streams": {"asked": 10, "found": 4}}, {"streams": {"asked": 5, "found": 5}}, {}, {"streams": "of someone else"}]
    assert count_streams(records(told)) == {"asked": 15, "found": 9}
    assert count_streams([]) == {"asked": 0, "found": 0}


@pytest.mark.parametrize("others", [[], [{}, {"pack": {"members": 5}}]])
def test_what_was_trained_in_the_loop_is_counted_by_cause(others: list[dict[str, Any]]) -> None:
    packs = [{"pack": {"loop": why}} for why in ("no rule", "no rule", "a buffer")]
    assert count_loops(records([*packs, *others])) == {"no rule": 2, "a buffer": 1}
