import numpy as np
import pandas as pd
import pytest

from fusearch.data.check.leaks import identifier_columns, label_columns
from fusearch.data.dataset import Dataset
from fusearch.data.table_schema import encode_table

RNG = np.random.default_rng(0)
NUM_ROWS = 100
TARGETS = RNG.permutation(np.arange(NUM_ROWS) % 2)


def found_identifiers(**columns: object) -> list[str]:
    frame = pd.DataFrame(columns)
    categorical = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    return identifier_columns(*encode_table(frame, categorical=categorical, place="t"))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("patient_id", RNG.permutation(NUM_ROWS * 1000)[:NUM_ROWS]),
        ("row", np.arange(NUM_ROWS)),
        ("enrolled", np.sort(RNG.choice(10**6, NUM_ROWS, replace=False))),
        ("sample", RNG.permutation(NUM_ROWS)),
        ("name", [f"subject {row}" for row in range(NUM_ROWS)]),
        ("visit", np.array([*range(NUM_ROWS - 3), 5, 6, 7])),
    ],
)
def test_a_column_that_names_samples_is_found(name: str, values: object) -> None:
    assert found_identifiers(**{name: values, "age": RNG.normal(size=NUM_ROWS)}) == [name]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("age", RNG.integers(20, 90, NUM_ROWS)),
        ("expression", RNG.normal(size=NUM_ROWS)),
        ("platelets", RNG.choice(400_000, NUM_ROWS, replace=False)),
        ("cells", np.arange(NUM_ROWS)[::-1] * 37 % NUM_ROWS * 9),
        ("sex", ["f", "m"] * (NUM_ROWS // 2)),
        ("patient_age", RNG.integers(20, 90, NUM_ROWS)),
    ],
)
def test_a_property_is_no_identifier(name: str, values: object) -> None:
    assert found_identifiers(**{name: values}) == []


def make_data(targets: np.ndarray, task: str = "classification", **columns: object) -> Dataset:
    frame = pd.DataFrame({**columns, "noise": RNG.normal(size=len(targets))})
    categorical = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    return Dataset.from_arrays("toy", modalities={"t": frame}, targets=targets, task=task, categorical={"t": categorical})


def test_a_column_that_gives_the_class_is_found_in_any_guise() -> None:
    columns = {
        "copy": TARGETS,
        "flipped": 1 - TARGETS,
        "blurred": TARGETS + RNG.uniform(-0.3, 0.3, NUM_ROWS),
        "only_if": np.where(TARGETS == 1, 5.0, np.nan),
        "word": np.where(TARGETS == 1, "deceased", "discharged"),
    }
    assert {name for name, _ in label_columns(make_data(TARGETS, **columns), "t")} == set(columns)


def test_with_many_classes_a_permuted_code_is_found() -> None:
    targets = np.arange(200) % 4
    data = make_data(targets, code=np.array([2, 0, 3, 1])[targets])
    assert label_columns(data, "t") == [("code", 1.0)]


def test_a_strong_marker_is_no_leak() -> None:
    marker = TARGETS + RNG.normal(scale=0.45, size=NUM_ROWS)
    level = np.where(RNG.random(NUM_ROWS) < 0.9, TARGETS, 1 - TARGETS).astype(str)
    assert label_columns(make_data(TARGETS, marker=marker, level=[f"x{value}" for value in level]), "t") == []


def test_levels_nearly_as_many_as_rows_are_an_identifier_and_no_label() -> None:
    names = [f"n{row}" for row in range(NUM_ROWS)]
    assert label_columns(make_data(TARGETS, name=names), "t") == []


def test_a_monotone_copy_of_a_continuous_target_is_found() -> None:
    targets = RNG.normal(size=NUM_ROWS)
    data = make_data(targets, "regression", exponential=np.exp(targets), related=targets + RNG.normal(size=NUM_ROWS))
    ((name, score),) = label_columns(data, "t")
    assert name == "exponential"
    assert score == pytest.approx(1)


def test_only_training_rows_decide() -> None:
    targets = np.arange(210) % 2
    splits = np.array(["train", "val", "test"] * 70)
    for told in splits[:3]:  # the column gives the target in one split alone
        column = np.where(splits == told, targets, RNG.normal(size=210))
        data = Dataset.from_arrays("toy", modalities={"t": pd.DataFrame({"c": column})}, targets=targets, splits=splits)
        assert label_columns(data, "t") == ([("c", 1.0)] if told == "train" else [])
