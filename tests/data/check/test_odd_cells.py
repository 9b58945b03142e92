"""Cells that are not what they seem, each told with its column, its count and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusearch.data import Dataset
from fusearch.data.check.odd_cells import odd_cells, odd_classes

ROWS = 80
RNG = np.random.default_rng(0)
TARGETS = np.arange(ROWS) % 2


def told(columns: dict[str, Any], categorical: tuple[str, ...] = ()) -> list[str]:
    frame = pd.DataFrame({**columns, "noise": RNG.normal(size=ROWS)})
    splits = ["train"] * 50 + ["val"] * 30
    data = Dataset.from_arrays("toy", modalities={"t": frame}, targets=TARGETS, categorical={"t": categorical}, splits=splits)
    return [problem.what for problem in odd_cells(data, "t")]


def spoilt(values: np.ndarray, number: float, every: int = 8) -> np.ndarray:
    return np.where(np.arange(ROWS) % every == 0, number, values)


@pytest.mark.parametrize(
    ("values", "number", "seen"),
    [
        (RNG.uniform(20, 80, ROWS), -999, True),
        (RNG.uniform(20, 80, ROWS), -9, True),
        (RNG.uniform(20, 80, ROWS), 9999, True),
        (RNG.uniform(0, 1, ROWS), 999, True),
        (RNG.uniform(20, 80, ROWS), 90, False),  # no number of nines
        (RNG.normal(size=ROWS) * 10, -9, False),  # among the others
        (RNG.uniform(0, 2000, ROWS), 999, False),
        (RNG.uniform(200, 990, ROWS), 999, False),  # near the others
    ],
)
def test_a_number_that_stands_for_a_missing_value(values: np.ndarray, number: float, seen: bool) -> None:
    what = f"column 'crp' holds {number} in 10 rows, far from its other values; if it is a missing value, list it under `missing`"
    assert told({"crp": spoilt(values, number)}) == ([what] if seen else [])


def test_a_number_that_stands_so_in_many_columns_is_one_line() -> None:
    columns = {f"g{column}": spoilt(RNG.uniform(20, 80, ROWS), -999) for column in range(8)}
    names = "column 'g0' and 7 more columns ('g1', 'g2', 'g3', 'g4', 'g5', ...)"
    advice = "if it is a missing value, list it under `missing`"
    assert told({**columns, "crp": spoilt(RNG.uniform(20, 80, ROWS), 9999)}) == [
        f"{names} hold -999 in up to 10 rows, far from their other values; {advice}",
        f"column 'crp' holds 9999 in 10 rows, far from its other values; {advice}",
    ]


def test_one_such_number_may_be_a_value() -> None:
    assert told({"crp": spoilt(RNG.uniform(20, 80, ROWS), -999, every=ROWS)}) == []


def test_levels_that_may_be_missing_or_written_in_two_ways_or_name_patients() -> None:
    stage = np.where(np.arange(ROWS) % 4 == 0, "NA", np.where(np.arange(ROWS) % 2 == 0, "Early", "early"))
    place = np.where(np.arange(ROWS) < 2, "Kyoto", "Rome")
    assert told({"stage": stage, "place": place}, ("stage", "place")) == [
        "column 'stage': level 'NA' (20 rows) is taken as it stands; if it is a missing value, list it under `missing`",
        "column 'stage': level 'Early' (20 rows) and 'early' (40 rows) differ by case or spaces alone, and are told apart",
        "column 'place' has 1 levels of fewer than 5 rows ('Kyoto'): they may name patients, and levels travel in a bundle",
    ]


def test_classes() -> None:
    targets = np.array(["Case", "case", "None", "control"] * 20)
    data = Dataset.from_arrays("toy", modalities={"a": RNG.normal(size=(ROWS, 3))}, targets=targets)
    assert [(problem.severity, problem.where, problem.what) for problem in odd_classes(data)] == [
        ("warning", "task", "class 'None' (20 rows) is taken as it stands; if it is a missing value, list it under `missing`"),
        ("warning", "task", "class 'Case' (20 rows) and 'case' (20 rows) differ by case or spaces alone, and are told apart"),
    ]


def test_numbers_and_groups_of_the_labels() -> None:
    targets = spoilt(RNG.uniform(20, 80, ROWS), -999)
    groups = np.repeat(["A", "a ", "B", "NA"], 20)
    data = Dataset.from_arrays("toy", modalities={"a": RNG.normal(size=(ROWS, 3))}, targets=targets, task="regression", groups=groups)
    told = {problem.where: problem.what for problem in odd_classes(data)}
    assert told["task"].startswith("the target is -999 in")
    assert told["task"].endswith("far from its other values; if it is a missing value, leave those rows out")
    whats = [problem.what for problem in odd_classes(data) if problem.where == "splits.group"]
    assert whats == [
        "group 'NA' (20 rows) is taken as it stands; if it is a missing value, list it under `missing`",
        "group 'A' (20 rows) and 'a' (20 rows) differ by case or spaces alone, and are told apart",
    ]


def test_levels_that_numbers_of_missing_values_made() -> None:
    (what,) = told({"sex": ["m", "f", "m", "-9"] * 20}, categorical=("sex",))
    assert what == "column 'sex': level '-9' (20 rows) is taken as it stands; if it is a missing value, list it under `missing`"
