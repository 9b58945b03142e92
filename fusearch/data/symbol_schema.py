"""What the codes of a text or a sequence mean: its symbols, and how many positions it has (decision 0076)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

__all__ = ["SymbolSchema", "fit_codes", "match_symbols", "restrict_symbols", "rows_with"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

#: A word of fewer rows has no code: one text alone says nothing of it, and it may name a patient.
_LEAST_ROWS = 2


@dataclass(frozen=True)
class SymbolSchema:
    """The symbols of a modality, and its length.

    Raw values are the position of each symbol in `names`, -1 for another one, NaN behind the end of a sample.

    Attributes:
        names: The symbols: words, or letters of an alphabet. Words are those of at least two rows of train + val.
        length: Positions of a sample; longer ones are cut. None until it is found: where the manifest does not say it, the
            `share` quantile of the lengths in train + val, at most `most`.
        most: See there.
        share: See there.
        vocabulary: How many of the words, the most frequent ones of the training rows, have a code; None: all symbols, fitted on nothing.
    """

    names: tuple[str, ...]
    length: int | None = None
    most: int = 256
    share: float = 1.0
    vocabulary: int | None = None

    @property
    def read_length(self) -> int:
        """How many symbols of a sample are read: one more than are used, so that longer ones are known."""
        return (self.length or self.most) + 1


def _lengths_of(values: FloatArray) -> IntArray:
    """Return the length of each sample, (N,)."""
    return np.asarray((~np.isnan(values)).sum(axis=1), np.int64)


def restrict_symbols(values: FloatArray, schema: SymbolSchema, rows: IntArray) -> tuple[FloatArray, SymbolSchema, int]:
    """Find the length and the words by `rows` (train + val) alone; the other words become unknown.

    Returns:
        The values, (N, length), the schema, and how many samples are longer and were cut.
    """
    lengths = _lengths_of(values)
    length = schema.length
    if length is None:
        own = lengths[rows][lengths[rows] > 0]
        length = min(schema.most, math.ceil(np.quantile(own, schema.share))) if len(own) else 1
    cut = int((lengths > length).sum())
    values = _widened(values[:, :length], length).copy()
    names: Sequence[str] = schema.names
    if schema.vocabulary is not None:
        kept = np.flatnonzero(rows_with(values[rows], len(names)) >= _LEAST_ROWS)
        new_code = np.full(len(names) + 1, -1, np.float32)  # the last entry serves code -1
        new_code[kept] = np.arange(len(kept))
        known = ~np.isnan(values)
        values[known] = new_code[values[known].astype(int)]
        names = [schema.names[code] for code in kept]
    return values, replace(schema, names=tuple(names), length=length), cut


def match_symbols(ours: SymbolSchema, theirs: SymbolSchema, values: FloatArray, width: int) -> tuple[FloatArray, SymbolSchema]:
    """Return the values of another cohort in our codes, our width, and our schema with its symbols behind ours."""
    names = (*ours.names, *sorted(set(theirs.names) - set(ours.names)))
    code_of = {name: code for code, name in enumerate(names)}
    table = np.array([*(code_of[name] for name in theirs.names), -1], np.float32)
    known = ~np.isnan(values)
    matched = values.copy()
    matched[known] = table[values[known].astype(int)]
    return _widened(matched[:, :width], width), replace(ours, names=names)


def fit_codes(values: FloatArray, schema: SymbolSchema) -> IntArray:
    """Return the code of each symbol: from 2 on, the most frequent one first; 1, unknown, of one without a code of its own.

    Words of one text more often than once count once; of words of equally many rows the first in the alphabet comes first.

    Args:
        values: Raw values of the training rows.
        schema: The symbols.
    """
    if schema.vocabulary is None:
        return np.arange(2, 2 + len(schema.names))
    counts = rows_with(values, len(schema.names))
    order = np.argsort(-counts, kind="stable")
    kept = order[counts[order] >= _LEAST_ROWS][: schema.vocabulary]
    codes = np.ones(len(schema.names), np.int64)
    codes[kept] = np.arange(2, 2 + len(kept))
    return codes


def rows_with(values: FloatArray, count: int) -> IntArray:
    """Return in how many rows each of `count` symbols occurs."""
    rows, positions = np.nonzero(values >= 0)
    pairs = np.unique(rows * max(count, 1) + values[rows, positions].astype(np.int64))
    return np.bincount(pairs % max(count, 1), minlength=count)[:count]


def _widened(values: FloatArray, width: int) -> FloatArray:
    if values.shape[1] >= width:
        return values
    return np.pad(values, ((0, 0), (0, width - values.shape[1])), constant_values=np.nan)
