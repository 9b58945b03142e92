from __future__ import annotations

import pytest

from fusearch.data.assembly.joining import join_by_id, refuse_other_order
from fusearch.errors import DataError, ManifestError

IDS = [f"p{row}" for row in range(10)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"pid": IDS[::-1]}, r"study.yaml: labels.csv and rna.csv both have 'pid', and not in the same order, .*did you mean `id: pid`\?"),
        ({"pid": [*IDS[2:], "x", "y"]}, "study.yaml: labels.csv and rna.csv both have 'pid', and not in the same order"),
        ({"ids": IDS[::-1]}, "study.yaml: 'pid' of labels.csv and 'ids' of rna.csv name the same rows, and not in the same order"),
        ({"pid": IDS}, None),
        ({"ids": IDS}, None),
        ({"pid": [f"q{row}" for row in range(10)]}, None),
        ({"rank": [str(row) for row in range(10)][::-1]}, None),
    ],
)
def test_rows_are_not_joined_by_position_where_names_speak_against_it(columns: dict[str, list[str]], message: str | None) -> None:
    named = {"pid": ("labels.csv", IDS), "order": ("labels.csv", [str(row) for row in range(10)])}
    if message is None:
        refuse_other_order("rna.csv", columns, named, "study.yaml")
    else:
        with pytest.raises(ManifestError, match=message):
            refuse_other_order("rna.csv", columns, named, "study.yaml")


def test_joined_by_id() -> None:
    positions, notes = join_by_id(["a", "b", "c"], ["c", "a", "x"], "labels.csv", "rna.csv")
    assert positions.tolist() == [1, -1, 0]
    assert notes == ()


def test_what_would_match_is_told() -> None:
    ours = ["001", "002", "010", "x"]
    _, (note,) = join_by_id(ours, ["1", "2", "10", "x"], "labels.csv", "rna.csv")
    assert note == "rna.csv has a row for 1 of 4 samples; 3 more would match if leading zeros did not count ('001' and '1')"
    with pytest.raises(
        DataError, match=r"rna.csv: none of its 2 ids is in labels.csv \(its first is '1'\), expected ids such as '001'; 2 more"
    ):
        join_by_id(["001", "002"], ["1", "2"], "labels.csv", "rna.csv")


@pytest.mark.parametrize("column", ["pid", "sample"])
def test_names_in_another_order_are_found_behind_another_way_to_write_them(column: str) -> None:
    named = {"pid": ("labels.csv", [f"P-0{row}" for row in range(10)])}
    refuse_other_order("rna.csv", {column: [f"p{row}" for row in range(10)]}, named, "study.yaml")
    with pytest.raises(ManifestError, match="not in the same order"):
        refuse_other_order("rna.csv", {column: [f"p{row}" for row in (*range(9, 1, -1), 20, 21)]}, named, "study.yaml")
