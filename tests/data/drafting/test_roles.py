from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fusearch.data.drafting.found import FoundTable
from fusearch.data.drafting.roles import read_roles

ROWS = 60
RNG = np.random.default_rng(0)
CLASSES = ["yes" if row % 3 else "no" for row in range(ROWS)]
WORDS = ["cough", "fever", "mild", "pain", "none", "seen"]
COLUMNS = {
    "age": (RNG.integers(30, 90, ROWS), "numbers"),
    "sex": (RNG.choice(["f", "m"], ROWS), "levels"),
    "note": ([" ".join(RNG.choice(WORDS, 9)) for _ in range(ROWS)], "texts"),
    "dna": (["".join(RNG.choice(list("ACGT"), 30)) for _ in range(ROWS)], "sequences"),
    "protein": (["".join(RNG.choice(list("ACDEFGHIKLMNPQRSTVWY"), 30)) for _ in range(ROWS)], "sequences"),
    "image": ([f"{row % 3}.png" for row in range(ROWS)], "files"),
    "weight": (["?" if row == 4 else f"{value:.1f}" for row, value in enumerate(RNG.normal(70, 9, ROWS))], "numbers"),
    "crp": (["<0.1" if row == 4 else f"{value:.1f}" for row, value in enumerate(RNG.normal(9, 1, ROWS))], "numbers"),
    "leukocytes": ([f"{value:,}".replace(",", "'") for value in RNG.integers(2000, 9000, ROWS)], "numbers"),
    "taken_on": ([20240101 + 100 * (row % 12) + row % 28 for row in range(ROWS)], "left_out"),
    "record_no": (RNG.permutation(ROWS) + 1000, "left_out"),
    "row": (np.arange(ROWS), "left_out"),
    "second": ([f"{number:04d}" for number in RNG.permutation(ROWS)], "left_out"),
    "shuffled": (RNG.permutation(ROWS) + 500, "left_out"),
    "taken_in": (np.arange(ROWS) * 7 + 20_000, "left_out"),
    "scanned": (RNG.permutation(ROWS) // 2 + 2**31, "left_out"),
    "counts": (RNG.permutation(ROWS) * 37, "numbers"),
    "gappy_code": ([None if row == 7 else 1 if name == "yes" else 2 for row, name in enumerate(CLASSES)], "left_out"),
    "often_missing": ([None if row % 5 == 0 else 1 if name == "yes" else 2 for row, name in enumerate(CLASSES)], "numbers"),
    "code": ([1 if name == "yes" else 2 for name in CLASSES], "left_out"),
    "nothing": ([None] * ROWS, "left_out"),
    "seen_on": ([f"2024-01-{1 + row % 28:02d}" for row in range(ROWS)], "left_out"),
    "hospital": (RNG.choice(["north", "south"], ROWS), "levels"),
}


@pytest.mark.parametrize("column", COLUMNS)
def test_what_a_column_is_good_for(column: str, tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "scans").mkdir()
    for number in range(3):
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "scans" / f"{number}.png")
    cells, role = COLUMNS[column]
    table = FoundTable(tmp_path / "t.csv", None, pd.DataFrame({"id": range(ROWS), column: cells}))
    roles = read_roles(table, apart=["id"], targets=[CLASSES], folder=tmp_path)
    assert [name for name in ("numbers", "levels", "texts", "sequences", "files", "left_out") if column in getattr(roles, name)] == [role]
    assert roles.missing == ({"?"} if column == "weight" else set())
    assert roles.groups == (["hospital"] if column == "hospital" else [])
    if role == "files":
        assert roles.files == {"image": ("images", tmp_path / "scans")}
    if role == "sequences":
        assert roles.sequences == {column: column}


def test_a_split_is_found_and_a_number_that_follows_the_target_is_no_copy(tmp_path: Path) -> None:
    split = ["train"] * 40 + ["val"] * 10 + ["test"] * 10
    noisy = [float(name == "yes") + row / 100 for row, name in enumerate(CLASSES)]
    table = FoundTable(tmp_path / "t.csv", None, pd.DataFrame({"part": split, "noisy": noisy}))
    roles = read_roles(table, apart=[], targets=[CLASSES], folder=tmp_path)
    assert (roles.split, roles.numbers, roles.left_out) == ("part", ["noisy"], {})


@pytest.mark.parametrize(
    ("column", "left_out"),
    [
        (lambda days: days / 30.4, True),
        (lambda days: -days, True),
        (lambda days: np.log(days), True),
        (lambda days: [None if row == 3 else f"{value}" for row, value in enumerate(days)], True),
        (lambda days: days + RNG.normal(size=ROWS), False),
        (lambda days: days // 200, False),
        (lambda days: np.abs(days - 500), False),
    ],
)
def test_a_number_that_is_the_target_in_another_unit_is_left_out(column: Any, left_out: bool, tmp_path: Path) -> None:
    days = np.random.default_rng(1).permutation(ROWS * 20)[:ROWS] + 1
    table = FoundTable(tmp_path / "t.csv", None, pd.DataFrame({"other": column(days), "age": RNG.integers(30, 90, ROWS)}))
    roles = read_roles(table, apart=[], targets=[[str(day) for day in days]], folder=tmp_path)
    assert (roles.numbers, list(roles.left_out)) == ((["age"], ["other"]) if left_out else (["other", "age"], []))


def test_a_column_of_folders_of_frames_leads_to_films_and_one_of_sites_does_not(tmp_path: Path) -> None:
    for row in range(ROWS):
        for place in (f"us/case{row}/frame1.png", f"site{row % 3}/{row}.png"):
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (4, 4)).save(tmp_path / place)
    frame = pd.DataFrame({"clip": [f"us/case{row}" for row in range(ROWS)], "site": [f"site{row % 3}" for row in range(ROWS)]})
    roles = read_roles(FoundTable(tmp_path / "t.csv", None, frame), apart=[], targets=[(name,) for name in CLASSES], folder=tmp_path)
    assert roles.files == {"clip": ("films", tmp_path)}
    assert "site" in [*roles.levels, *roles.left_out]


def test_folders_that_were_named_on_windows_or_are_not_all_there_lead_to_films(tmp_path: Path) -> None:
    """Which one is missing, `check` says."""
    for row in range(ROWS - 1):
        place = tmp_path / f"us/case{row}/frame1.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(place)
    clips = [f"us\\case{row}" if row % 2 else f"us/case{row}" for row in range(ROWS)]
    frame = pd.DataFrame({"clip": clips})
    roles = read_roles(FoundTable(tmp_path / "t.csv", None, frame), apart=[], targets=[(name,) for name in CLASSES], folder=tmp_path)
    assert roles.files == {"clip": ("films", tmp_path)}
