"""Texts and sequences that mislead; each test spoils one thing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from fusearch.data import load_data
from fusearch.data.check.odd_symbols import odd_symbols

ROWS = 40
SICK = np.arange(ROWS) % 2 == 0


def problems(folder: Path, texts: list[str], target: str = "sick", **keys: str) -> list[str]:
    frame = pd.DataFrame({"sick": np.where(SICK, "yes", "no"), "days": np.where(SICK, 9, 3) + np.arange(ROWS) / 1000, "x": texts})
    frame.to_csv(folder / "labels.csv", index=False)
    document = {
        "task": {"kind": "classification" if target == "sick" else "regression", "file": "labels.csv", "column": target},
        "modalities": {"x": {"kind": "text", "file": "labels.csv", "column": "x", **keys}},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return [problem.what for problem in odd_symbols(load_data(folder / "study.yaml"), "x")]


def words(row: int) -> str:
    return " ".join(np.random.default_rng(row).choice(list("abcdefgh"), 5))


def test_plain_texts_have_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, [words(row) for row in range(ROWS)]) == []


@pytest.mark.parametrize("target", ["sick", "days"])
def test_a_word_that_gives_the_target_away(tmp_path: Path, target: str) -> None:
    texts = [f"{words(row)} {'ill' if sick else ''}" for row, sick in enumerate(SICK)]
    told = problems(tmp_path, texts, target)
    if target == "sick":
        assert told == [
            "the word 'ill' alone gives the target (100.0% on train); leave 'x' out if it was written when the target was known"
        ]
    else:
        assert told == [], "two values cannot give the order of all numbers"


def test_words_of_one_text_each(tmp_path: Path) -> None:
    told = problems(tmp_path, [f"own{row} other{row} {'a' if row % 3 else 'b'}" for row in range(ROWS)])
    assert told == ["modality 'x': 67% of its words stand in one text alone"]
    told = problems(tmp_path, [f"own{row}" for row in range(ROWS)])
    assert told == ["no word of modality 'x' stands in two texts of train and val: nothing can be learned from it"]


def test_letters_that_are_not_known(tmp_path: Path) -> None:
    told = problems(tmp_path, ["NNN" + "ACGT"[row % 4] for row in range(ROWS)], kind="sequence", alphabet="dna")
    assert told == ["modality 'x': 75% of its letters stand for what is not known"]
