"""What a data set holds, as plain arrays that agree with each other; `Dataset` is this with its rows, splits and folds at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.check.problem import Problem
from fusearch.data.given_weights import GivenWeights
from fusearch.data.modality import Modality
from fusearch.data.splits import NumFolds
from fusearch.data.symbol_schema import SymbolSchema
from fusearch.data.table_schema import TableSchema
from fusearch.errors import DataError
from fusearch.tasks import Task

__all__ = ["Content"]

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]
StrArray = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False, repr=False)
class Content:
    """What is fused. Arrays are read-only; rows are in the order of the labels file.

    Attributes:
        name: Name of the data set.
        source: The manifest's path or the embedded name, to load it again; empty for arrays in memory.
        task: What is predicted.
        modalities: The modalities, with the shapes that a network sees.
        ids: Id of each sample, (N,) text.
        targets: Of each sample, (N,) or (N, numbers of a sample), as the task encodes them: int64 class codes, float32 numbers.
        raw: Name -> (N, *raw shape) float32, NaN where a value is missing. Tabular: numeric columns, then the level code of each
            categorical column (-1: a level that no train or val row has). Texts and sequences: the position of each symbol (-1: unknown),
            NaN behind the end.
        present: Name -> (N,) bool; False where the sample has no row for that modality.
        split_of: `train`, `val` or `test` for each row, (N,).
        columns: Name -> schema, for the tabular modalities.
        given_weights: Weights in files that streams start from; they are part of the fingerprint.
        symbols: Name -> schema, for texts and sequences that were read as such; codes in memory have none.
        groups: Group of each row, (N,) text, or None. Rows of one group never stand on two sides.
        num_folds: Number of folds that the manifest asks for, or None.
        fold_seed: Seed of their shuffle.
        fingerprint: Hash of the content, 16 hex digits: arrays, columns, targets, ids, groups and splits in the order of the rows; neither
            the name nor the source. A data set without its test split keeps the fingerprint of the whole.
        test_withheld: Whether the rows of the test split were taken out.
        notes: What was found when the files were read and does not stand in the arrays: assumptions, rows of no sample, unknown levels.

    Raises:
        DataError: The arrays do not agree.
    """

    name: str
    source: str
    task: Task
    modalities: tuple[Modality, ...]
    ids: StrArray
    targets: Array
    raw: Mapping[str, FloatArray]
    present: Mapping[str, BoolArray]
    split_of: StrArray
    columns: Mapping[str, TableSchema] = field(default_factory=dict)
    groups: StrArray | None = None
    num_folds: NumFolds | None = None
    fold_seed: int = 0
    fingerprint: str = ""
    test_withheld: bool = False
    notes: tuple[Problem, ...] = ()
    symbols: Mapping[str, SymbolSchema] = field(default_factory=dict)
    given_weights: tuple[GivenWeights, ...] = ()

    def __post_init__(self) -> None:
        names = [modality.name for modality in self.modalities]
        for what, arrays in (("raw values", self.raw), ("presence mask", self.present)):
            if list(arrays) != names:
                raise DataError(f"data set {self.name!r}: {what} of {list(arrays)}, expected those of the modalities {names}")
        rows = {"targets": self.targets, "split_of": self.split_of, **self.raw, **{f"presence of {n}": a for n, a in self.present.items()}}
        rows |= {"groups": self.groups} if self.groups is not None else {}
        for what, array in rows.items():
            if len(array) != len(self.ids):
                raise DataError(f"data set {self.name!r}: {what} has {len(array)} rows, expected {len(self.ids)}, one for each id")
        for attribute in ("ids", "targets", "split_of", "groups"):
            if getattr(self, attribute) is not None:
                object.__setattr__(self, attribute, _read_only(getattr(self, attribute)))
        for attribute in ("raw", "present"):
            arrays = {name: _read_only(array) for name, array in getattr(self, attribute).items()}
            object.__setattr__(self, attribute, MappingProxyType(arrays))
        for attribute in ("columns", "symbols"):
            object.__setattr__(self, attribute, MappingProxyType(dict(getattr(self, attribute))))


def _read_only(array: Array) -> Array:
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view
