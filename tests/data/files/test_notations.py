from __future__ import annotations

import numpy as np
import pytest

from fusearch.data.files.notations import holds_dates, is_amount, is_date, is_limit


@pytest.mark.parametrize("text", ["5", "-5.2", "1.234,5", "1'234", "12 345", "12 %", "< 0,1", ">=100", "\u22123.2", "1,2E3"])
def test_amounts_in_any_notation(text: str) -> None:
    assert is_amount(text)
    assert not is_date(text)
    assert is_limit(text) == (text[0] in "<>")


@pytest.mark.parametrize("text", ["2021-03-01", "01.03.2021", "1/3/21", "2021-03-01T08:30:00Z", "01.03.2021 08:30", "08:30", "8:30:01.5"])
def test_dates_and_times(text: str) -> None:
    assert is_date(text)
    assert not is_amount(text)


@pytest.mark.parametrize("text", ["", "low", "5 mg/l", "C50.1", "120/80", "40-49", "-", "<", "p12"])
def test_neither(text: str) -> None:
    assert not is_amount(text)
    assert not is_date(text)
    assert not is_limit(text)


DAYS = [(1 + row % 28, 1 + row % 12) for row in range(40)]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([20210000.0 + 100 * month + day for day, month in DAYS], "YYYYMMDD"),
        ([day + month / 100 for day, month in DAYS], "DD.MM"),
        ([np.nan, *(day + month / 100 for day, month in DAYS)], "DD.MM"),
        ([day + month / 100 for day, month in DAYS[:10]], None),
        ([day + 0.01 for day, _ in DAYS], None),
        (np.random.default_rng(0).normal(20, 3, 200).round(2), None),
        (np.random.default_rng(0).integers(19_000_000, 21_000_000, 200), None),
        (np.arange(40), None),
        ([20210101.0] * 40, None),
    ],
)
def test_numbers_that_are_dates(values: object, found: str | None) -> None:
    assert holds_dates(np.asarray(values, np.float32)) == found
