"""Cells as text: ids, levels, classes. A cell is read by itself, so that no other row of a file can change what it means."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["NUMERIC_GAPS", "as_text", "one_line", "plain", "where"]

#: Texts that are a missing value in a column of numbers, beside the empty cell. In a column of text they are text.
NUMERIC_GAPS = frozenset(
    ("#N/A", "#N/A N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "none", "NAN", "na")
)

_WHOLE = re.compile(r"([+-]?\d+)\.0+\Z")


def as_text(values: Iterable[Any], missing: Collection[str] = ()) -> list[str | None]:
    """Return values as text, None where one is missing or empty.

    Spaces around it go, bytes are decoded, whole numbers lose their `.0` (1, 1.0 and "1.0" are the same), leading zeros stay.

    Args:
        values: Cells of a column, or what an array or a data frame holds.
        missing: Texts that stand for a missing value, as `plain` gives them.
    """
    return [_text(value, missing) for value in values]


def where(index: Any, row: int) -> str:
    """Return where a row stands, for messages: the line of a text file, else its number from 1.

    Args:
        index: Index of the data frame that `read_table` gave; its name says what it counts. Of anything else rows are counted.
        row: Position in the data frame.
    """
    return f"{index.name} {index[row]}" if getattr(index, "name", None) in ("line", "row") else f"row {row + 1}"


def one_line(error: Exception) -> str:
    """Return what another library says about a file, short and in one line."""
    text = " ".join(str(error).split())
    return text if len(text) <= 120 else f"{text[:117]}..."


def _text(value: Any, missing: Collection[str]) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if not isinstance(value, str):
        if pd.api.types.is_scalar(value) and pd.isna(value):
            return None
        value = value.item() if isinstance(value, np.generic) else value
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)
        value = str(value)
    text = plain(value.strip())
    return None if not text or text in missing else text


def plain(text: str) -> str:
    """Return a text as ids and levels are compared: a whole number without its `.0`."""
    whole = _WHOLE.match(text)
    return whole[1] if whole else text
