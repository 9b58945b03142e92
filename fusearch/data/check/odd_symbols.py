"""What texts and sequences may hide: nothing to learn from, and words that give the target away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from fusearch.data.check.problem import Problem
from fusearch.data.dataset import Dataset
from fusearch.data.symbol_schema import rows_with

__all__ = ["odd_symbols"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

#: A word that alone gives the target this well gives it away; so many words are looked at, those nearest to it.
_GIVES_AWAY, _LOOKED_AT = 0.99, 20
#: Of so many, those of most rows: a rare word does not give the target.
_MOST_WORDS = 1000
#: Below so many rows, one word may give the target by chance.
_MIN_ROWS = 20
#: Share of unknown symbols from which it is a warning.
_MANY_UNKNOWN = 0.5


def odd_symbols(data: Dataset, name: str) -> Iterator[Problem]:
    """Tell what is odd about a text or a sequence, on the rows of train and val."""
    where, symbols = f"modalities.{name}", data.symbols[name]
    search = data.rows("search")
    values = data.raw[name][search[data.present[name][search]]]
    if not len(values):
        return
    words = symbols.vocabulary is not None
    if words and not symbols.names:
        yield Problem(
            "warning", f"no word of modality {name!r} stands in two texts of train and val: nothing can be learned from it", where
        )
        return
    unknown = float((values == -1).sum() / max(1, int((~np.isnan(values)).sum())))
    if unknown > _MANY_UNKNOWN:
        what = "of its words stand in one text alone" if words else "of its letters stand for what is not known"
        yield Problem("warning", f"modality {name!r}: {unknown:.0%} {what}", where)
    if words:
        for word, score in _telling_words(data, name):
            what = f"the word {word!r} alone gives the target ({score:.1%} on train)"
            yield Problem("warning", f"{what}; leave {name!r} out if it was written when the target was known", where)


def _telling_words(data: Dataset, name: str) -> list[tuple[str, float]]:
    """Return the words whose presence alone gives the target on the training rows, with how well they do (`Task.association`)."""
    rows = data.rows("train")
    rows = rows[data.present[name][rows]]
    if len(rows) < _MIN_ROWS:
        return []
    names, values = data.symbols[name].names, data.raw[name][rows]
    often = np.argsort(-rows_with(values, len(names)), kind="stable")[:_MOST_WORDS]
    presence = np.stack([(values == word).any(axis=1) for word in often], axis=1).astype(np.float32)
    nearest = _nearest_words(presence, data.targets[rows])
    scores = data.task.association(presence[:, nearest], data.targets[rows], len(nearest))
    return [(names[often[word]], float(score)) for word, score in zip(nearest, scores, strict=True) if score >= _GIVES_AWAY]


def _nearest_words(presence: FloatArray, targets: npt.NDArray[np.generic]) -> IntArray:
    """Return the words whose presence goes most with a class, or with a number of the target."""
    columns = targets.reshape(len(targets), -1)
    if columns.dtype.kind in "iu":
        columns = np.concatenate([column[:, None] == np.unique(column) for column in columns.T], axis=1)
    wanted = np.nan_to_num(columns.astype(np.float64))
    wanted -= wanted.mean(axis=0)
    wanted /= np.maximum(wanted.std(axis=0), 1e-12)
    spread = np.maximum(presence.std(axis=0), 1e-12)
    shared = np.abs(presence.T @ wanted / len(presence) / spread[:, None]).max(axis=1)
    return np.argsort(-shared, kind="stable")[:_LOOKED_AT]
