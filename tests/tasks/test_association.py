"""Columns that give the target away, and columns that do not."""

from __future__ import annotations

import numpy as np
import pytest

from fusearch.tasks.association import class_association, rank_association

ROWS = 60
RNG = np.random.default_rng(0)
CODES = np.arange(ROWS) % 3


def test_a_class_is_given_by_a_number_or_a_level() -> None:
    noise = RNG.normal(size=ROWS)
    values = np.stack([noise, CODES + 0.1 * noise, -CODES + 0.1 * noise, CODES % 2, (CODES + 1) % 3], axis=1).astype(np.float32)
    found = class_association(values, CODES, 3)
    assert found[0] == 0
    assert found[1:3].tolist() == [1, 1]
    assert found[3] == 0  # two levels tell three classes apart in two rows of three
    assert found[4] == 1


def test_the_most_frequent_class_is_no_finding() -> None:
    """Any column gives 99 of 100 rows where 99 have one class."""
    codes = (np.arange(1000) % 100 == 0).astype(np.int64)
    values = np.stack([np.arange(1000) % 2, codes, np.where(np.arange(1000) % 200 == 0, 1, 0)], axis=1).astype(np.float32)
    assert class_association(values, codes, 0).tolist() == [0, 1, 0]


def test_a_number_is_given_by_what_ranks_it() -> None:
    targets = RNG.normal(size=ROWS).astype(np.float32)
    values = np.stack([np.exp(targets), -targets, RNG.normal(size=ROWS), CODES], axis=1).astype(np.float32)
    found = rank_association(values, targets, 3)
    assert found[:2] == pytest.approx([1, 1])
    assert 0 <= found[2] < 0.5
    assert found[3] == 0
