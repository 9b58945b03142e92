"""How people write amounts and dates: what a cell of text, or a column of numbers, is most likely to say."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

__all__ = ["holds_dates", "is_amount", "is_date", "is_limit"]

FloatArray = npt.NDArray[np.floating]

#: An amount in any notation: `1.234,5`, `1'234`, `12 %`, `< 0,1`, with a minus sign of print too.
_AMOUNT = re.compile(r"\s*[<>\u2264\u2265~]?=?\s*[+\-\u2212]?\d[\d.,'\u2019\s\u00a0\u202f]*(?:[eE][+-]?\d+)?\s*%?\s*\Z")
_LIMIT = re.compile(r"\s*[<>\u2264\u2265]")
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_DATE = re.compile(
    rf"\s*(?:(?:\d{{4}}[-./]\d{{1,2}}[-./]\d{{1,2}}|\d{{1,2}}[-./]\d{{1,2}}[-./]\d{{2,4}})(?:[T ]+{_TIME}\S*)?|{_TIME})\s*\Z"
)

#: So many numbers that are dates, all of them, are dates by no chance.
_LEAST_DATES = 20


def is_amount(text: str) -> bool:
    """Whether a text is an amount in any notation, and no date."""
    return bool(_AMOUNT.match(text)) and not _DATE.match(text)


def is_date(text: str) -> bool:
    """Whether a text is a date, a time of day, or both."""
    return bool(_DATE.match(text))


def is_limit(text: str) -> bool:
    """Whether a text is an amount of which only a limit is known (`<0.1`)."""
    return bool(_LIMIT.match(text)) and is_amount(text)


def holds_dates(values: FloatArray) -> str | None:
    """Return how a column of numbers writes dates (`YYYYMMDD`, `DD.MM`); None where it holds none.

    Args:
        values: The column, (N,), NaN where a value is missing.
    """
    known = values[np.isfinite(values)].astype(np.float64)
    if len(known) < _LEAST_DATES:
        return None
    days, months = np.floor(known), np.round(known % 1 * 100)
    close = np.abs(known % 1 * 100 - months) < 1e-3  # of float32
    if close.all() and ((months >= 1) & (months <= 12) & (days >= 1) & (days <= 31)).all() and len(np.unique(months)) > 1:
        return "DD.MM"
    year, month, day = known // 10_000, known // 100 % 100, known % 100
    whole = (known == days).all() and ((year >= 1900) & (year <= 2100)).all()
    legal = (month >= 1) & (month <= 12) & (day >= 0) & (day <= 32)  # float32 keeps even numbers of this size
    return "YYYYMMDD" if whole and legal.all() and len(np.unique(known)) > 1 else None
