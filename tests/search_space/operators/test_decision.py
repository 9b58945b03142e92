"""The entries of the decision level."""

from __future__ import annotations

import pytest

from fusearch.search_space.operator import SYMBOLS
from fusearch.search_space.operators import OPERATORS

NAMES = ("inverse_covariance", "product_of_experts", "stacking", "vote_majority", "vote_mean", "vote_weighted")


def test_the_family_is_complete() -> None:
    assert {name for name in OPERATORS if OPERATORS[name].family == "decision"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_tells_all(name: str) -> None:
    operator = OPERATORS[name]
    assert operator.symbol == "⊞"
    assert operator.equation
    assert operator.absent
    assert operator.reference
    for param in operator.params.values():
        assert param.default in param.choices or not param.choices


def test_votes_are_untrained_and_take_scores() -> None:
    assert [name for name in NAMES if OPERATORS[name].trained] == ["stacking"]
    assert all(OPERATORS[name].scores_only and OPERATORS[name].symmetric for name in NAMES)


def test_nothing_else_takes_scores_only() -> None:
    assert {name for name in OPERATORS if OPERATORS[name].scores_only} == set(NAMES)


def test_there_are_operators_for_everything() -> None:
    assert len(OPERATORS) >= 45
    assert {OPERATORS[name].family for name in OPERATORS} == set(SYMBOLS)
