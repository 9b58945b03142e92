from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fusearch.data.files.ids import columns_of_names, ids_of, in_other_order, near_miss, shared_ids, twin_ids
from fusearch.errors import DataError

NAMES = [f"p{row}" for row in range(10)]


def test_one_rule_for_all_files() -> None:
    assert ids_of([1.0, b"p2", " p3 ", "004", 5], "id", "x") == ["1", "p2", "p3", "004", "5"]


def test_each_once_and_none_missing() -> None:
    index = pd.Index([2, 3, 7], name="line")
    with pytest.raises(DataError, match=r"a.csv: id 'p' stands in line 2 and line 7, expected each id once"):
        ids_of(["p", "q", "p"], "id", "a.csv", index)
    with pytest.raises(DataError, match=r"a.csv: id '1' stands in row 1 and row 2"):
        ids_of([1, "1.0"], "id", "a.csv")
    with pytest.raises(DataError, match=r"a.csv: no id in line 3, expected one in every row"):
        ids_of(["p", " ", "q"], "id", "a.csv", index)


@pytest.mark.parametrize(
    ("ours", "theirs", "hint"),
    [
        (["001", "002", "x"], ["1", "2", "x"], "2 more would match if leading zeros did not count ('001' and '1')"),
        (["P-001", "P-002"], ["P-1", "P-2"], "2 more would match if leading zeros did not count ('P-001' and 'P-1')"),
        (["tcga-1", "b"], ["TCGA-1", "b"], "1 more would match if upper and lower case did not count ('tcga-1' and 'TCGA-1')"),
        (["a-b_c", "b"], ["a.b.c", "b"], "1 more would match if '-', '.', '_' and spaces did not count ('a-b_c' and 'a.b.c')"),
        (["a", "b"], ["c", "d"], None),
        (["a", "b"], ["a", "b"], None),
        (["a0", "b"], ["a", "b"], None),
    ],
)
def test_near_misses_are_named_with_a_pair(ours: list[str], theirs: list[str], hint: str | None) -> None:
    assert near_miss(ours, theirs) == hint


@pytest.mark.parametrize("theirs", ["e\u0301P1", "\u00e9P1\u200b", "\u00e9P1\x00"])
def test_what_cannot_be_seen_is_told_and_shown(theirs: str) -> None:
    told = near_miss(["\u00e9P1", "b"], [theirs, "b"])
    assert told == f"1 more would match if invisible characters and forms of letters did not count ({'éP1'!a} and {theirs!a})"


@pytest.mark.parametrize(
    ("theirs", "same_name", "expected"),
    [
        (["p1", "p2", "p3"], True, False),
        (["P-1", "p02", "p3"], False, False),
        (["p2", "p1", "p3"], False, True),
        (["P-2", "P-1", "P-9"], False, True),
        (["a", "b", "c"], True, False),
        (["2", "1", "9"], False, False),
    ],
)
def test_names_in_another_order(theirs: list[str], same_name: bool, expected: bool) -> None:
    ours = ["1", "2", "3"] if theirs[0] == "2" else ["p1", "p2", "p3"]
    assert in_other_order(ours, theirs, same_name=same_name) is expected


def test_columns_that_may_say_who_a_row_is() -> None:
    frame = pd.DataFrame(
        {
            "id": NAMES,
            "number": range(100, 110),
            "age": [30, 30, *range(8)],
            "dose": np.linspace(0, 1, 10),
            "sick": [True, False] * 5,
            "note": [None, *NAMES[1:]],
        }
    )
    assert list(columns_of_names((str(name), cells) for name, cells in frame.items())) == ["id", "number"]


def test_whole_floats_and_repeated_texts_may_name_rows() -> None:
    columns = {"ids": np.array([3.0, 1.0, 2.0]), "dose": np.array([0.5, 1.0, 2.0]), "visit": ["a", "a", "b"], "site": ["x"] * 3 + ["y"] * 9}
    assert columns_of_names(columns.items()) == {"ids": ["3", "1", "2"], "visit": ["a", "a", "b"]}
    assert in_other_order(["a", "a", "b"], ["b", "a", "a"], same_name=True)
    assert not in_other_order(["a", "a", "b"], ["b", "a", "a"], same_name=False)
    assert not in_other_order(["a", "a", "b"], ["a", "a", "c"], same_name=True)


def test_dashes_are_one() -> None:
    assert near_miss(["A-1"], ["A\u20131"]) is not None


def test_ids_of_two_sides_that_are_written_in_other_ways_are_shared() -> None:
    assert shared_ids(["P001", "x", "q 7", "7"], ["p1", "Q07", "7", "07"]) == {"P001": "p1", "q 7": "Q07", "7": "7"}


def test_twins_within_one_file() -> None:
    assert twin_ids(["007", "p1", "7", "P01", "p10", "p1\u200b"]) == [("007", "7"), ("p1", "P01"), ("p1", "p1\u200b")]
