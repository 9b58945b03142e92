"""The entries of concatenation."""

from __future__ import annotations

import pytest

from fusearch.search_space.operators import OPERATORS

NAMES = ("cat", "cat_channels", "cat_tokens", "gated_cat")


def test_the_family_is_complete() -> None:
    assert {name for name in OPERATORS if OPERATORS[name].family == "concatenation"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_tells_all(name: str) -> None:
    operator = OPERATORS[name]
    assert operator.symbol == "⊕"
    assert operator.equation
    assert operator.absent
    assert operator.reference
    for param in operator.params.values():
        assert param.default in param.choices or not param.choices


def test_only_channels_go_back_to_a_stream() -> None:
    assert [name for name in NAMES if OPERATORS[name].keeps == "first"] == ["cat_channels"]


def test_only_features_may_change_places() -> None:
    assert [name for name in NAMES if OPERATORS[name].symmetric] == ["cat", "gated_cat"]
