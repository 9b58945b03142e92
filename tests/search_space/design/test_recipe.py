from __future__ import annotations

import pytest

from fusearch.errors import DesignError
from fusearch.search_space import Recipe


def test_round_trip() -> None:
    recipe = Recipe(learning_rate=1, width=64, class_weights="balanced")
    assert recipe.learning_rate == 1.0
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert Recipe.from_dict({}) == Recipe()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"learning_rate": 0}, "learning_rate is 0, expected more"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"dropout": 1.0}, "dropout is 1.0, expected a number from 0 to 0.95"),
        ({"width": 0}, "width is 0"),
        ({"width": 32.0}, "width is 32.0"),
        ({"class_weights": "balance"}, "did you mean 'balanced'"),
        ({"sampling": "classes"}, "sampling is 'classes'"),
        ({"focal": -1}, "focal is -1, expected a number from 0 to 10"),
        ({"class_weights": "balanced", "sampling": "balanced"}, "counts rare classes twice"),
        ({"learning_rat": 1}, "unknown key 'learning_rat', did you mean 'learning_rate'"),
        ({"dropout": True}, "dropout is True"),
    ],
)
def test_illegal_numbers(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        Recipe.from_dict(wrong)


def test_what_balances_classes_is_written_only_where_it_is_used() -> None:
    """So candidates of before keep their digests."""
    assert {"sampling", "focal", "augmentation"}.isdisjoint(Recipe().to_dict())
    assert Recipe(sampling="balanced", focal=2).to_dict() == {**Recipe().to_dict(), "sampling": "balanced", "focal": 2.0}
    assert Recipe.from_dict(Recipe(focal=2).to_dict()) == Recipe(focal=2)
    assert [Recipe(**each).balances for each in ({}, {"class_weights": "balanced"}, {"sampling": "balanced"})] == [False, True, True]
