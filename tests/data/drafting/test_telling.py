"""Columns that tell the target or a sample, and numbers that float32 does not tell apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusearch.data import check_data, draft_manifest, load_data
from fusearch.data.drafting.telling import says_the_target, says_who
from fusearch.yaml_file import read_yaml

ROWS = 40
RNG = np.random.default_rng(0)
SICK = RNG.integers(0, 2, ROWS)
IDS = [f"p{row:02d}" for row in range(ROWS)]


def test_channels_of_one_value_a_sample_that_tell_the_target_are_left_out(tmp_path: Path) -> None:
    """The same in a table with a row a sample, and in one with a row a step."""
    wide = pd.DataFrame({"patient": IDS, "vital": np.where(SICK, "dead", "alive"), "died": SICK * 4 + 1, "age": RNG.integers(30, 80, ROWS)})
    wide = wide.assign(mrn=[f"{number:05d}" for number in RNG.permutation(ROWS) * 31])
    wide.to_csv(tmp_path / "labels.csv", index=False)
    numbers = RNG.permutation(ROWS) * 91 + 2
    steps = [
        {"patient": name, "t": step, "pulse": RNG.normal(), "dead": 2 * SICK[row], "case_no": numbers[row], "site": row % 3}
        for row, name in enumerate(IDS)
        for step in range(3)
    ]
    pd.DataFrame(steps).to_csv(tmp_path / "vitals.csv", index=False)
    made = draft_manifest(tmp_path, targets=["vital"], out=tmp_path / "study.yaml")
    modalities = read_yaml(made.path)["modalities"]
    assert modalities["labels"]["columns"] == ["age"]
    assert modalities["vitals"]["channels"] == ["pulse", "site"]
    text = made.path.read_text(encoding="utf-8")
    for told in (
        "Left out: 'died', it says the same as the target, row by row.",
        "Left out: 'mrn', it numbers the rows.",
        "Left out: 'dead', it says the same as the target, sample by sample.",
        "Left out: 'case_no', it numbers the samples.",
    ):
        assert told in text
    assert check_data(made.path).ok


@pytest.mark.parametrize(
    ("numbers", "warned"),
    [
        (2_021_000_000 + RNG.permutation(ROWS), True),
        (2.0**24 + np.arange(ROWS), True),
        (1_700_000_000 + 90_000 * RNG.permutation(ROWS), False),
        (RNG.normal(size=ROWS) * 1e9, False),
        (1e6 + RNG.normal(size=ROWS) * 1e-4, True),
        (RNG.normal(size=ROWS), False),
        (np.full(ROWS, 5.0), False),
    ],
)
def test_numbers_that_float32_takes_for_one_are_warned_of_and_not_drafted(tmp_path: Path, numbers: np.ndarray, warned: bool) -> None:
    frame = pd.DataFrame({"vital": np.where(SICK, "dead", "alive"), "long": numbers, "age": RNG.integers(30, 80, ROWS)})
    frame.to_csv(tmp_path / "labels.csv", index=False)
    (tmp_path / "hand.yaml").write_text(
        "task: {kind: classification, file: labels.csv, column: vital}\nmodalities: {x: {kind: tabular, file: labels.csv}}\n"
    )
    told = [problem for problem in check_data(tmp_path / "hand.yaml").problems if "float32" in problem.what]
    assert [problem.severity for problem in told] == ["warning"] * warned
    if warned:
        first, second = (float(word) for word in told[0].what.split("takes ")[1].split(" for one")[0].split(" and "))
        assert first != second
        assert np.float32(first) == np.float32(second)
    made = draft_manifest(tmp_path, targets=["vital"], out=tmp_path / "study.yaml")
    assert ("long" in load_data(made.path).columns["labels"].columns) == (not warned)


def test_a_few_values_prove_nothing() -> None:
    assert not says_the_target(pd.Series([1.0, 2.0, 3.0, 4.0]), ["10", "20", "30", "40"])
    assert not says_who("size", pd.Series([3, 1, 2]))
    assert says_who("size", pd.Series([1, 2, 3]))
