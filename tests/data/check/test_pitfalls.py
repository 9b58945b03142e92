from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from fusearch.data import load_data
from fusearch.data.check.pitfalls import find_problems
from fusearch.data.check.problem import Problem
from fusearch.data.dataset import Dataset

RNG = np.random.default_rng(0)
NUM_ROWS = 100
TARGETS = np.arange(NUM_ROWS) % 2
SPLITS = ["train"] * 60 + ["val"] * 20 + ["test"] * 20


def problems(views: dict[str, Any], targets: np.ndarray = TARGETS, **options: Any) -> list[tuple[str, str, str]]:
    options = {"splits": SPLITS, **options}
    data = Dataset.from_arrays("toy", modalities=views, targets=targets, **options)
    return [(problem.severity, problem.where, problem.what) for problem in find_problems(data)]


def clean(columns: int = 12) -> np.ndarray:
    return RNG.normal(size=(NUM_ROWS, columns))


def test_sound_data_have_no_problems() -> None:
    assert problems({"a": clean(), "b": RNG.normal(size=(NUM_ROWS, 5, 2))}) == []
    assert find_problems(load_data("wisconsin")) == []


def test_identical_rows_in_two_splits() -> None:
    a, b = clean(), clean()
    for view in (a, b):
        view[90], view[70], view[61] = view[3], view[4], view[60]
    targets = TARGETS.copy()
    targets[90] = 1 - targets[3]
    found = problems({"a": a, "b": b}, targets)
    advice = "name their group under `splits.group`, or drop the copies"
    assert ("warning", "splits", f"2 identical rows in two splits (4 in train and 70 in val, 3 in train and 90 in test); {advice}") in found
    assert ("info", "splits", "1 rows repeat an earlier row of the same split, identical in every modality") in found
    assert ("warning", "task", "2 rows are identical to another row in every modality but have another target") in found


def test_identical_values_in_one_modality() -> None:
    a, b = clean(), clean()
    a[90] = a[3]
    (found,) = problems({"a": a, "b": b})
    assert found == ("warning", "modalities.a", "1 pair of samples in two splits with identical values in modality 'a' (3 and 90)")
    assert problems({"a": np.round(clean(2)), "b": b}) == []


def test_rare_classes() -> None:
    targets = TARGETS.copy()
    targets[[5, 62, 70]] = 2
    assert problems({"a": clean()}, targets) == [
        ("warning", "task", "class '2' has 3 rows in train and val, fewer than the 5 folds or sides"),
        ("warning", "task", "class '2' has no row in test"),
    ]


def test_a_class_with_a_row_for_each_fold_is_not_rare() -> None:
    targets = TARGETS.copy()
    targets[[5, 15, 25, 62, 70, 90]] = 2
    assert problems({"a": clean()}, targets) == []


def test_half_missing_is_a_warning() -> None:
    a, b = clean(), clean()
    a[::2], b[::3] = np.nan, np.nan
    found = {(severity, where) for severity, where, _ in problems({"a": a, "b": b})}
    assert found == {("warning", "modalities.a"), ("info", "modalities.b")}


def test_too_few_groups_for_folds() -> None:
    groups = ["a"] * 30 + ["b"] * 30 + ["c"] * 20 + ["d"] * 20
    assert problems({"a": clean()}, groups=groups) == [
        ("warning", "splits", "train and val cannot be divided into folds: 5 folds of 3 groups, expected at least one group a fold")
    ]


def test_gaps() -> None:
    a, b, c = clean(), clean(), clean()
    lost = RNG.random(c.shape) < 0.6
    lost[:, -1] = False  # no row lacks every value, whatever was drawn before
    a[:60], b[3], c[lost] = np.nan, np.nan, np.nan
    found = problems({"a": a, "b": b, "c": c})
    assert ("warning", "modalities.a", "modality 'a' is missing for 60% of the samples") in found
    assert ("warning", "modalities.a", "no row of train has modality 'a': nothing can be learned from it") in found
    assert ("info", "modalities.b", "modality 'b' is missing for 1 of 100 samples") in found
    (gaps,) = (what for _, where, what in found if where == "modalities.c")
    assert "columns of 'c' lack half of their values or more: c_" in gaps


def test_constant_and_empty_columns() -> None:
    frame = pd.DataFrame({"x": RNG.normal(size=NUM_ROWS), "batch": 1, "never": np.nan, "site": "north", "late": [0.0] * 80 + [1.0] * 20})
    assert problems({"a": frame}, categorical={"a": ["site"]}) == [
        ("warning", "modalities.a", "1 column of 'a' has no value in train and val: never"),
        ("warning", "modalities.a", "3 columns of 'a' have one value throughout train and val: batch, late, site"),
    ]


def test_dates_that_are_numbers() -> None:
    frame = pd.DataFrame({"x": RNG.normal(size=NUM_ROWS), "seen": [20240101 + 100 * (row % 12) + row % 28 for row in range(NUM_ROWS)]})
    what = "column 'seen' looks like dates (YYYYMMDD), and is read as numbers; give days from one date on, or leave it out"
    assert problems({"a": frame}) == [("warning", "modalities.a.seen", what)]


def test_leaks_are_named_with_their_column() -> None:
    frame = pd.DataFrame({"x": RNG.normal(size=NUM_ROWS), "patient_id": np.arange(NUM_ROWS) + 7, "outcome": TARGETS})
    assert problems({"a": frame}) == [
        (
            "warning",
            "modalities.a.patient_id",
            "column 'patient_id' looks like an identifier: it tells samples, not properties; leave it out",
        ),
        (
            "warning",
            "modalities.a.outcome",
            "column 'outcome' alone gives the target (100.0% on train); leave it out if it is known only afterwards",
        ),
    ]


def test_what_was_found_on_reading_is_told() -> None:
    data = Dataset.from_arrays("toy", modalities={"a": clean()}, targets=TARGETS)
    note = Problem("info", "3 rows of modality 'a' belong to no labelled sample and are left out", "modalities.a")
    assert find_problems(replace(data, notes=(note,))) == [note]


def test_groups_of_one_class() -> None:
    groups = np.where(np.arange(NUM_ROWS) < 96, [f"h{row % 4}" for row in range(NUM_ROWS)], "h9")
    found = problems({"a": clean()}, splits=None, folds="groups", groups=groups)
    what = "4 of 5 groups hold one class only (h0, h1, h2, h3): metrics such as AUROC are undefined on their folds"
    assert [each for each in found if each[1] == "splits.group"] == [("warning", "splits.group", what)]


def test_columns_of_test_in_another_unit_or_without_values() -> None:
    frame = pd.DataFrame({"x": RNG.normal(size=NUM_ROWS), "crp": RNG.uniform(1, 9, NUM_ROWS), "ldh": RNG.normal(size=NUM_ROWS)})
    test = np.array(SPLITS) == "test"
    frame.loc[test, "crp"] *= 1000
    frame.loc[test, "ldh"] = np.nan
    whats = [what for _, _, what in problems({"a": frame})]
    assert "1 column of 'a' has no value in test: ldh" in whats
    (unit,) = [what for what in whats if "unit" in what]
    assert unit.startswith("1 column of 'a' lies far off the values of train and val in half of the test rows ('crp': median")


def test_images_of_test_on_another_scale() -> None:
    images = RNG.uniform(0, 1, (NUM_ROWS, 1, 4, 4))
    images[np.array(SPLITS) == "test"] *= 255
    (unit,) = [what for _, _, what in problems({"cxr": images}) if "unit" in what]
    assert unit.startswith(
        "1 column of 'cxr' lies far off the values of train and val in half of the test rows ('mean of a sample': median"
    )


def test_many_rare_classes_are_one_line() -> None:
    targets = np.array([f"c{row % 20}" for row in range(NUM_ROWS)])
    whats = [what for _, where, what in problems({"a": RNG.normal(size=(NUM_ROWS, 3))}, targets=targets) if where == "task"]
    assert whats == ["20 classes have fewer rows in train and val than the 5 folds or sides (c0, c1, c10, c11, c12, ...)"]
    targets = np.where(np.array(SPLITS) == "test", "c0", targets)
    whats = [what for _, where, what in problems({"a": RNG.normal(size=(NUM_ROWS, 3))}, targets=targets) if where == "task"]
    assert "19 classes have no row in test (c1, c10, c11, c12, c13, ...)" in whats
