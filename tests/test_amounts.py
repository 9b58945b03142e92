"""Amounts as people write them: one home for the command line, notebooks and the model card."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusearch.amounts import amount, counted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.066644, "0.06664"),
        (5.22143, "5.221"),
        (-3.5, "-3.5"),
        (999.96, "1,000"),
        (2184.0, "2,184"),
        (9999.4, "9,999"),
        (9999.7, "10,000"),
        (12345.6, "12,346"),
        (-12345.6, "-12,346"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_an_amount_has_four_digits_or_all_before_the_point(value: float, text: str) -> None:
    assert amount(value) == text


@given(st.floats(min_value=1e-4, max_value=1e12))
def test_an_amount_is_read_as_the_number_and_never_in_powers_of_ten(value: float) -> None:
    text = amount(value)
    assert "e" not in text
    assert float(text.replace(",", "")) == pytest.approx(value, rel=5.1e-4)


def test_one_thing_is_told_in_the_singular() -> None:
    assert counted(0, "row") == "0 rows"
    assert counted(1, "row") == "1 row"
    assert counted(1200, "row") == "1,200 rows"
    assert (counted(1, "class", "classes"), counted(2, "class", "classes")) == ("1 class", "2 classes")
