import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fusearch.data.check.duplicates import crossing_duplicates, identical_rows, merge_duplicates

VALUES = st.lists(st.tuples(st.sampled_from([0.0, -0.0, 1.0, np.nan]), st.sampled_from([0.0, 2.0])), min_size=1, max_size=12)


@given(VALUES)
def test_identical_rows_agrees_with_comparing_every_pair(values: list[tuple[float, float]]) -> None:
    table = np.array(values, np.float32)
    expected = [
        next(row for row in range(len(table)) if np.array_equal(table[row], table[here], equal_nan=True)) for here in range(len(table))
    ]
    assert identical_rows([table[:, :1], table[:, 1:]]).tolist() == expected


@given(VALUES, st.data())
def test_after_merging_neither_groups_nor_duplicates_are_apart(values: list[tuple[float, float]], data: st.DataObject) -> None:
    table = np.array(values, np.float32)
    groups = np.array(data.draw(st.lists(st.sampled_from("abcdef"), min_size=len(table), max_size=len(table))))
    merged = merge_duplicates(groups, [table])
    owners = identical_rows([table])
    for row in range(len(table)):
        assert merged[row] == merged[owners[row]]
        assert all(merged[row] == merged[other] for other in np.flatnonzero(groups == groups[row]))
    assert set(merged.tolist()) <= set(groups.tolist())


def test_a_chain_of_groups_becomes_one() -> None:
    table = np.array([[1], [2], [2], [3], [3], [9]], np.float32)
    assert merge_duplicates(np.array(["a", "a", "b", "b", "c", "d"]), [table]).tolist() == ["a"] * 5 + ["d"]


def test_rows_without_any_value_are_no_duplicates() -> None:
    assert identical_rows([np.full((3, 2), np.nan, np.float32)]).tolist() == [0, 1, 2]


def test_crossing_duplicates_are_the_pairs_on_two_sides() -> None:
    table = np.array([[1], [1], [2], [2]], np.float32)
    assert crossing_duplicates([table], np.array(["train", "test", "val", "val"])) == [(0, 1)]
