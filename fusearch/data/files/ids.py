"""Ids: who a row is. One rule for data sets, cohorts and predictions: text as `as_text` gives it, compared as it stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from fusearch.data.files.text import as_text, where
from fusearch.errors import DataError

__all__ = ["columns_of_names", "ids_of", "in_other_order", "near_miss", "shared_ids", "twin_ids"]

#: Two texts that look the same on a screen.
_UNSEEN = "invisible characters and forms of letters"

#: What people write in two ways -> how it is written in one.
_WAYS: dict[str, Callable[[str], str]] = {
    "upper and lower case": str.casefold,
    "leading zeros": lambda text: re.sub(r"(?<!\d)0+(?=\d)", "", text),
    "'-', '.', '_' and spaces": lambda text: re.sub(r"[-\u2010-\u2015._\s]+", "", text),
    _UNSEEN: lambda text: _visible(unicodedata.normalize("NFKC", text)),
}


def _visible(text: str) -> str:
    return "".join(letter for letter in text if unicodedata.category(letter)[0] != "C").strip()


def ids_of(values: Iterable[Any], what: str, place: str, index: Any = None) -> list[str]:
    """Return the id of each row.

    Args:
        values: The ids, one a row.
        what: How messages call the column.
        place: Name of the file, for messages.
        index: Where each row stands, as `read_table` gives it.

    Raises:
        DataError: An id is missing or stands there twice.
    """
    texts = as_text(values)
    first: dict[str, int] = {}
    ids = []
    for row, text in enumerate(texts):
        if text is None:
            raise DataError(f"{place}: no {what} in {where(index, row)}, expected one in every row")
        if text in first:
            rows = f"{where(index, first[text])} and {where(index, row)}"
            raise DataError(f"{place}: {what} {text!r} stands in {rows}, expected each {what} once")
        first[text] = row
        ids.append(text)
    return ids


def columns_of_names(columns: Iterable[tuple[str, Any]]) -> dict[str, list[str]]:
    """Return the columns that may say who a row is: whole numbers, each once; texts, few of them more than once (several visits)."""
    found = {}
    for name, values in columns:
        kind = getattr(getattr(values, "dtype", None), "kind", "O")
        if kind in "bMm" or (kind in "iuf" and (len(np.unique(values)) < len(values) or not (np.mod(values, 1) == 0).all())):
            continue
        texts = [text for text in as_text(values) if text is not None]
        if len(texts) == len(values) and 4 * len(set(texts)) >= len(texts):
            found[str(name)] = texts
    return found


def in_other_order(ours: Sequence[str], theirs: Sequence[str], *, same_name: bool) -> bool:
    """Return whether two columns name the same rows, and not in the same order; however people write the names.

    Args:
        ours: Names of the rows of one file.
        theirs: Those of another one.
        same_name: Whether the columns have the same name. Then, and of texts, half of the rows are enough.
    """
    mine, their = [_loosely(text) for text in ours], [_loosely(text) for text in theirs]
    if len(set(mine)) < len(mine) or len(set(their)) < len(their):
        return same_name and their != mine and sorted(their) == sorted(mine)
    same = set(their) == set(mine) and not set(ours) <= {str(number) for number in range(len(ours) + 1)}  # numbers of rows say nothing
    sure = same_name or not any(text.isdecimal() for text in theirs)
    return their != mine and (same or (sure and len(set(mine) & set(their)) >= len(mine) / 2))


def _loosely(text: str) -> str:
    for plain in _WAYS.values():
        text = plain(text)
    return text


def near_miss(ours: Sequence[str], theirs: Sequence[str]) -> str | None:
    """Say by what ids that have no partner would have one, with a pair; None where nothing helps.

    Args:
        ours: Ids of one side.
        theirs: Ids of the other side.
    """
    alone, others = set(ours) - set(theirs), set(theirs) - set(ours)
    best: tuple[int, str] | None = None
    for what, plain in _WAYS.items():
        partner = {plain(text): text for text in sorted(others)}
        pairs = [(text, partner[plain(text)]) for text in sorted(alone) if plain(text) in partner]
        if pairs and (best is None or len(pairs) > best[0]):
            mine, their = pairs[0]
            shown = f"{mine!r} and {their!r}" if what != _UNSEEN else f"{mine!a} and {their!a}"
            best = len(pairs), f"{len(pairs)} more would match if {what} did not count ({shown})"
    return None if best is None else best[1]


def shared_ids(ours: Sequence[str], theirs: Sequence[str]) -> dict[str, str]:
    """Return the ids of one side that the other side has too, however it writes case, leading zeros and spaces -> how it writes them."""
    exact, loose = set(theirs), {_alike(text): text for text in theirs}
    found = {text: text if text in exact else loose.get(_alike(text)) for text in ours}
    return {text: partner for text, partner in found.items() if partner is not None}


def twin_ids(ids: Sequence[str]) -> list[tuple[str, str]]:
    """Return ids that differ by case, leading zeros, spaces or what cannot be seen alone, in pairs."""
    first: dict[str, str] = {}
    return [(before, text) for text in ids if (before := first.setdefault(_alike(text), text)) != text]


def _alike(text: str) -> str:
    for what in (_UNSEEN, "upper and lower case", "leading zeros"):
        text = _WAYS[what](text)
    return "".join(text.split())
