from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusearch.data.splits import SplitPlan, crossing_groups, leave_one_group_out, make_folds, split_by_fractions
from fusearch.errors import DataError
from fusearch.tasks.classification import Classification
from fusearch.tasks.regression import Regression

TASK = Classification("vital", ("alive", "dead"))


@st.composite
def grouped_rows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Draw class codes and groups of 40 to 120 rows; every class has many members."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    num_rows, num_groups = draw(st.integers(40, 120)), draw(st.integers(10, 40))
    strata = rng.permutation(np.arange(num_rows) % draw(st.integers(2, 4)))
    groups = np.array([f"g{group}" for group in rng.permutation(np.arange(num_rows) % num_groups)])
    return strata, groups


@given(grouped_rows(), st.integers(0, 100))
def test_fractions_are_exact_stratified_and_seeded(rows: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    strata, _ = rows
    split_of = split_by_fractions(strata, (0.6, 0.2, 0.2), seed=seed)
    for split, share in (("val", 0.2), ("test", 0.2)):
        assert (split_of == split).sum() == round(share * len(strata))
        for code in np.unique(strata):
            assert abs(((split_of == split) & (strata == code)).sum() - share * (strata == code).sum()) <= 1.5
    assert (split_of == split_by_fractions(strata, (0.6, 0.2, 0.2), seed=seed)).all()


def test_the_seed_decides_splits_and_folds() -> None:
    rows = np.arange(60)
    targets, groups = rows % 2, np.array([f"g{row // 3}" for row in rows])
    for grouped in (None, groups):
        first, second = (split_by_fractions(targets, (0.6, 0.2, 0.2), seed=seed, groups=grouped) for seed in (0, 1))
        assert (first != second).any()
        one, other = (make_folds(targets, rows, 3, seed=seed, groups=grouped) for seed in (0, 1))
        assert [fold.val.tolist() for fold in one] != [fold.val.tolist() for fold in other]
        for plan in (SplitPlan(), SplitPlan(folds=3)):
            assert (plan.assign(targets, TASK, groups=grouped) != replace(plan, seed=1).assign(targets, TASK, groups=grouped)).any()


@given(grouped_rows(), st.integers(0, 100))
def test_no_group_is_in_two_splits(rows: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    strata, groups = rows
    split_of = split_by_fractions(strata, (0.6, 0.2, 0.2), seed=seed, groups=groups)
    assert crossing_groups(split_of, groups) == {}
    assert set(split_of.tolist()) == {"train", "val", "test"}


@given(grouped_rows(), st.integers(2, 6), st.booleans(), st.integers(0, 100))
def test_folds_partition_the_rows_and_keep_groups_whole(
    rows: tuple[np.ndarray, np.ndarray], num_folds: int, grouped: bool, seed: int
) -> None:
    strata, groups = rows
    chosen = np.flatnonzero(np.arange(len(strata)) % 7 != 0)
    folds = make_folds(strata, chosen, num_folds, seed=seed, groups=groups if grouped else None)
    assert [fold.index for fold in folds] == list(range(num_folds))
    assert (np.sort(np.concatenate([fold.val for fold in folds])) == chosen).all()
    for fold in folds:
        assert (np.sort(np.concatenate([fold.train, fold.val])) == chosen).all()
        if grouped:
            assert not set(groups[fold.train]) & set(groups[fold.val])


def test_a_rare_class_stands_in_every_split() -> None:
    strata = np.array([0] * 97 + [1] * 3)
    split_of = split_by_fractions(strata, (0.4, 0.3, 0.3))
    assert set(split_of[strata == 1].tolist()) == {"train", "val", "test"}


def test_two_fractions_leave_out_test() -> None:
    assert set(split_by_fractions(np.arange(40) % 2, (0.75, 0.25)).tolist()) == {"train", "val"}


def test_a_plan_with_folds_has_a_val_split_and_no_test_split() -> None:
    targets = np.arange(50) % 2
    split_of = SplitPlan(folds=5, seed=3).assign(targets, TASK)
    assert (split_of == "val").sum() == 10
    assert (split_of == "train").sum() == 40
    assert (split_of[make_folds(targets, np.arange(50), 5, seed=3)[0].val] == "val").all()


def test_a_plan_leaves_the_rows_of_another_cohort_in_test() -> None:
    split_of = SplitPlan((0.8, 0.2), num_test_rows=10).assign(np.arange(60) % 2, TASK)
    assert (split_of[50:] == "test").all()
    assert not (split_of[:50] == "test").any()


def test_targets_of_another_cohort_do_not_move_ours() -> None:
    """Numbers are stratified by quantiles: those of our own rows."""
    ours = np.random.default_rng(0).normal(size=100)
    for theirs in (np.full(60, 9.0), np.full(60, -9.0)):
        split_of = SplitPlan((0.8, 0.2), num_test_rows=60).assign(np.concatenate([ours, theirs]), Regression("months"))
        assert split_of[:100].tolist() == SplitPlan((0.8, 0.2)).assign(ours, Regression("months")).tolist()


def test_crossing_groups_names_the_sides() -> None:
    split_of, groups = np.array(["train", "test", "val", "train"]), np.array(["a", "a", "b", "c"])
    assert crossing_groups(split_of, groups) == {"a": ("test", "train")}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: split_by_fractions(np.array([0] * 20 + [1] * 2), (0.6, 0.2, 0.2), labels=("alive", "dead")),
            "class 'dead' has 2 rows, expected at least 3: one each for train, val and test",
        ),
        (
            lambda: split_by_fractions(np.array([0] * 97 + [1] * 3), (0.1, 0.1, 0.8)),
            r"100 rows cannot be split into train, val and test by \(0.1,",
        ),
        (
            lambda: split_by_fractions(np.arange(40) % 2, (0.6, 0.2, 0.2), groups=np.array(["a", "b"] * 20)),
            "2 groups, expected at least 3: one each for train, val and test",
        ),
        (lambda: make_folds(np.arange(9) % 2, np.arange(9), 8), "8 folds of 9 rows: "),
        (lambda: make_folds(np.arange(9) % 2, np.arange(9), 1), "1 folds, expected 2 or more"),
        (
            lambda: make_folds(np.arange(8) % 2, np.arange(8), 3, groups=np.array(["a", "b"] * 4)),
            "3 folds of 2 groups, expected at least one",
        ),
    ],
)
def test_messages(call: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        call()


@given(grouped_rows())
def test_each_group_is_left_out_once(rows: tuple[np.ndarray, np.ndarray]) -> None:
    _, groups = rows
    chosen = np.flatnonzero(np.arange(len(groups)) % 7 != 0)
    folds = leave_one_group_out(chosen, groups)
    assert [set(groups[fold.val]) for fold in folds] == [{name} for name in sorted(set(groups[chosen].tolist()))]
    for fold in folds:
        assert sorted([*fold.train, *fold.val]) == chosen.tolist()
        assert not set(groups[fold.train]) & set(groups[fold.val])


def test_what_cannot_be_left_out() -> None:
    rows = np.arange(4)
    with pytest.raises(DataError, match="data set without groups"):
        leave_one_group_out(rows, None)
    with pytest.raises(DataError, match="of the one group h1, expected two groups or more"):
        leave_one_group_out(rows, np.array(["h1"] * 4))


def test_the_first_group_is_the_val_split() -> None:
    groups = np.array(["b", "a", "b", "a", "c", "c"])
    split_of = SplitPlan(folds="groups", num_test_rows=1).assign(np.array([0, 1, 0, 1, 0, 1]), TASK, groups=groups)
    assert split_of.tolist() == ["train", "val", "train", "val", "train", "test"]
