"""Columns that are no measurements: those that say the same as the target, and those that say who a row is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fusearch.data.files.frames import merges_numbers
from fusearch.data.files.notations import holds_dates
from fusearch.data.files.text import as_text

__all__ = ["ID_NAME", "says_the_target", "says_who", "why_no_number"]

FloatArray = npt.NDArray[np.float64]

#: Words in the name of a column that says who a row is.
_ID_WORDS = "id|ids|nr|no|mrn|barcode|accession|subject|patient|case|sample|participant|record"
ID_NAME = re.compile(rf"(^|[_\W])({_ID_WORDS})s?(id|_id)?($|[_\W])", re.IGNORECASE)

#: Share of the rows with a target in which a column has a value, to be taken for a copy of it.
_KNOWN = 0.9
#: So many different values that rise with the target, each time, do so by no chance.
_LEAST_VALUES = 10
#: So many different whole numbers within twice as wide a range are numbers of rows in another order.
_LEAST_NUMBERS = 20


def says_the_target(cells: pd.Series[Any], target: Sequence[str | None]) -> bool:
    """Whether a column is the target by other words: a value for each class, or numbers that rise, or fall, with each number of it.

    Args:
        cells: The column.
        target: What one label column says of each of its rows; None where it says nothing.
    """
    codes, names = pd.factorize(np.array(target, object))
    labelled = codes >= 0
    if len(names) < 2:
        return False
    if len(names) <= len(target) / 2:
        texts = as_text(cells)
        pairs = {(text, int(code)) for text, code in zip(texts, codes, strict=True) if code >= 0 and text is not None}
        known = sum(text is not None for text, each in zip(texts, labelled, strict=True) if each)
        one_to_one = len(pairs) == len({text for text, _ in pairs}) == len({code for _, code in pairs}) == len(names)
        return one_to_one and known >= _KNOWN * labelled.sum()
    return _rises_with(cells, target)


def _rises_with(cells: pd.Series[Any], target: Sequence[str | None]) -> bool:
    ours, theirs = (
        pd.to_numeric(pd.Series(each, dtype=object), errors="coerce").to_numpy(np.float64) for each in (list(cells), list(target))
    )
    both = np.isfinite(ours) & np.isfinite(theirs)
    if not both.any() or both.sum() < _KNOWN * sum(each is not None for each in target):
        return False
    pairs = np.unique(np.stack([theirs[both], ours[both]], axis=1), axis=0)
    steps = np.diff(pairs, axis=0)
    return len(pairs) >= _LEAST_VALUES and bool((steps[:, 0] > 0).all() and ((steps[:, 1] > 0).all() or (steps[:, 1] < 0).all()))


def says_who(column: str, cells: pd.Series[Any]) -> bool:
    """Whether a column of numbers tells a row (or a sample) and measures nothing: each value stands there once, and is a whole number.

    It is named like an id, has leading zeros, or counts: rises from row to row, or fills a range in another order.
    """
    texts = [text for text in as_text(cells) if text is not None]
    values = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").dropna().to_numpy(np.float64)
    if len(values) < 3 or len(set(texts)) < len(texts) or (values != np.round(values)).any():
        return False
    if ID_NAME.search(column) or any(len(text) > 1 and text.startswith("0") for text in texts):
        return True
    steps = np.diff(values)
    fills = len(values) >= _LEAST_NUMBERS and values.max() - values.min() < 2 * len(values)
    return bool((steps == 1).all() or fills or (len(values) >= _LEAST_NUMBERS and (steps > 0).all()))


def why_no_number(column: str, cells: pd.Series[Any], targets: Sequence[Sequence[str | None]]) -> str | None:
    """Return why a column of numbers is none to learn from; None where it is one."""
    if any(says_the_target(cells, target) for target in targets):
        return "it says the same as the target, row by row"
    if says_who(column, cells):
        return "it numbers the rows"
    values = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    dates = holds_dates(values)
    if dates is not None:
        return f"it holds dates ({dates}), of which no month is as long as another; days from one date on are numbers"
    merged = merges_numbers(values)
    return None if merged is None else f"float32 takes {merged[0]:.17g} and {merged[1]:.17g} for one number, and others like them"
