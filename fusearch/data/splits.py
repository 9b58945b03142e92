"""Splits and folds: stratified by class, and grouped so that no group is on two sides."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError
from fusearch.tasks import Task

__all__ = [
    "DEFAULT_FRACTIONS",
    "SPLITS",
    "Fold",
    "NumFolds",
    "SplitPlan",
    "crossing_groups",
    "leave_one_group_out",
    "make_folds",
    "split_by_fractions",
]

IntArray = npt.NDArray[np.int64]
StrArray = npt.NDArray[np.str_]

#: How many folds; `groups`: one for each group, which is its val part.
NumFolds = int | Literal["groups"]

SPLITS = ("train", "val", "test")
DEFAULT_FRACTIONS = (0.7, 0.15, 0.15)

#: Slices that a grouped split is put together from; each is about 5 % of the rows.
_SLICES = 20


@dataclass(frozen=True)
class Fold:
    """One way to divide the rows of a search.

    Attributes:
        index: Number of the fold, from 0.
        train: Row numbers into the data set, rising.
        val: Row numbers into the data set, rising; shares none with `train`.
    """

    index: int
    train: IntArray
    val: IntArray


@dataclass(frozen=True)
class SplitPlan:
    """How the rows of a data set are divided into train, val and test.

    Attributes:
        fractions: Shares of train, val and, where there is a third, test.
        folds: Number of folds of a cross-validated data set, or `groups`; its val split is the first fold, its test split the
            `num_test_rows`.
        seed: Seed of the shuffle.
        given: The split of each row, where the user names it; nothing else is used then.
        num_test_rows: The last rows that are a test split already, such as an external cohort; the plan divides the others.
    """

    fractions: tuple[float, ...] = DEFAULT_FRACTIONS
    folds: NumFolds | None = None
    seed: int = 0
    given: StrArray | None = None
    num_test_rows: int = 0

    @property
    def fold_seed(self) -> int:
        """Seed of the folds of a cross-validated data set, so that its val split is the first of them; else 0."""
        return self.seed if isinstance(self.folds, int) else 0

    def assign(self, targets: npt.NDArray[Any], task: Task, *, groups: StrArray | None = None) -> StrArray:
        """Return the split of each row, (N,)."""
        if self.given is not None:
            return self.given
        own = len(targets) - self.num_test_rows
        strata = task.strata(targets[:own])
        groups = None if groups is None else groups[:own]
        split_of = np.full(len(targets), "test", dtype="<U5")
        if self.folds is None:
            split_of[:own] = split_by_fractions(
                strata, self.fractions, seed=self.seed, groups=groups, labels=task.labels if task.named_classes else ()
            )
        else:
            rows = np.arange(own)
            if self.folds == "groups":
                folds = leave_one_group_out(rows, groups)
            else:
                folds = make_folds(strata, rows, self.folds, seed=self.seed, groups=groups)
            split_of[:own] = "train"
            split_of[folds[0].val] = "val"
        return split_of


def split_by_fractions(
    strata: IntArray, fractions: Sequence[float], *, seed: int = 0, groups: StrArray | None = None, labels: Sequence[str] = ()
) -> StrArray:
    """Name the split of each row: `train`, `val` or `test`.

    Without groups the counts are exact to one row. With groups they are as close as whole groups allow: the groups are dealt into up to 20
    stratified slices, and a split is a number of slices.

    Args:
        strata: Stratum of each row, (N,).
        fractions: Shares of train, val and, where there is a third, test; they sum to 1.
        seed: Seed of the shuffle.
        groups: Group of each row, (N,); rows of one group share a split.
        labels: Names of the strata, for messages.

    Raises:
        DataError: Too few rows, groups or members of a class for the splits asked for.
    """
    shares = dict(zip(SPLITS, fractions, strict=False))
    wanted = [name for name in SPLITS if shares.get(name, 0) > 0]
    if groups is not None:
        return _split_groups(strata, {name: shares[name] for name in wanted}, seed, groups)
    for code, count in zip(*np.unique(strata, return_counts=True), strict=True):
        if count < len(wanted):
            name = labels[code] if len(labels) > code else str(code)
            raise DataError(f"class {name!r} has {count} rows, expected at least {len(wanted)}: one each for {_join(wanted)}")
    from sklearn.model_selection import train_test_split

    split_of = np.full(len(strata), "train", dtype="<U5")
    left = np.arange(len(strata))
    for name in reversed(wanted[1:]):
        size = max(round(shares[name] * len(strata)), len(np.unique(strata)))
        try:
            left, part = train_test_split(left, test_size=size, stratify=strata[left], random_state=seed)
        except ValueError as error:
            raise DataError(f"{len(strata)} rows cannot be split into {_join(wanted)} by {tuple(fractions)}: {error}") from None
        split_of[part] = name
    return split_of


def make_folds(strata: IntArray, rows: IntArray, num_folds: int, *, seed: int = 0, groups: StrArray | None = None) -> tuple[Fold, ...]:
    """Deal `rows` into folds; each row is in the val part of exactly one.

    Args:
        strata: Stratum of every row of the data set, (N,).
        rows: Row numbers to deal, (n,).
        num_folds: How many folds, two or more.
        seed: Seed of the shuffle.
        groups: Group of every row of the data set, (N,); rows of one group share a fold.

    Raises:
        DataError: More folds than rows, groups, or members of the largest class.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if num_folds < 2:
        raise DataError(f"{num_folds} folds, expected 2 or more")
    if groups is not None and len(np.unique(groups[rows])) < num_folds:
        raise DataError(f"{num_folds} folds of {len(np.unique(groups[rows]))} groups, expected at least one group a fold")
    splitter = (StratifiedKFold if groups is None else StratifiedGroupKFold)(num_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer members than folds is legal here; `check_data` reports it.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        try:
            parts = list(splitter.split(rows, strata[rows], None if groups is None else groups[rows]))
        except ValueError as error:
            raise DataError(f"{num_folds} folds of {len(rows)} rows: {error}") from None
    return tuple(Fold(index, np.sort(rows[train]), np.sort(rows[val])) for index, (train, val) in enumerate(parts))


def leave_one_group_out(rows: IntArray, groups: StrArray | None) -> tuple[Fold, ...]:
    """Make one fold for each group, sorted by name: the group is the val part, all others are trained on.

    Args:
        rows: Row numbers to deal, (n,).
        groups: Group of every row of the data set, (N,).

    Raises:
        DataError: There are no groups, or one only.
    """
    from sklearn.model_selection import LeaveOneGroupOut

    if groups is None:
        raise DataError("folds by 'groups' of a data set without groups, expected a group for each row")
    if len(np.unique(groups[rows])) < 2:
        raise DataError(f"folds by 'groups' of the one group {groups[rows][0]!s}, expected two groups or more")
    parts = LeaveOneGroupOut().split(rows, groups=groups[rows])
    return tuple(Fold(index, np.sort(rows[train]), np.sort(rows[val])) for index, (train, val) in enumerate(parts))


def crossing_groups(split_of: StrArray, groups: StrArray) -> dict[str, tuple[str, ...]]:
    """Return the groups that stand in more than one split, with the names of those splits."""
    pairs = np.unique(np.stack([groups.astype(str), split_of.astype(str)]), axis=1)
    names, counts = np.unique(pairs[0], return_counts=True)
    return {str(name): tuple(str(split) for split in pairs[1][pairs[0] == name]) for name in names[counts > 1]}


def _split_groups(strata: IntArray, shares: dict[str, float], seed: int, groups: StrArray) -> StrArray:
    num_groups = len(np.unique(groups))
    if num_groups < len(shares):
        raise DataError(f"{num_groups} groups, expected at least {len(shares)}: one each for {_join(list(shares))}")
    num_slices = min(_SLICES, num_groups, int(np.bincount(strata).max()))
    if num_slices < len(shares):
        raise DataError(f"the largest class has {num_slices} rows, expected at least {len(shares)}: one each for {_join(list(shares))}")
    slices = make_folds(strata, np.arange(len(strata)), num_slices, seed=seed, groups=groups)
    split_of = np.full(len(strata), "train", dtype="<U5")
    start = 0
    for name in reversed(list(shares)[1:]):
        count = max(1, round(shares[name] * num_slices))
        for part in slices[start : start + count]:
            split_of[part.val] = name
        start += count
    if not (split_of == "train").any():
        raise DataError(f"{num_groups} groups leave none for train; expected more groups or a larger share of train")
    return split_of


def _join(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
