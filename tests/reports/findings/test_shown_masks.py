from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fusearch.layout import PREDICTIONS, predictions_file
from fusearch.reports.findings.shown_masks import read_shown_masks

MASKS = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)


def trials(folder: Path) -> Any:
    best = [SimpleNamespace(digest="b", candidate="second", number=2)]
    described = {"kind": "segmentation", "name": "m", "labels": ["none", "lesion"]}
    return SimpleNamespace(path=folder, described_task=described, simple=best)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / PREDICTIONS).mkdir()
    for candidate, shift in (("first", 0), ("second", 1)):
        kept = {"shown_ids": np.array(["p1", "p4"]), "shown_images": MASKS, "shown_true": MASKS, "shown_said": MASKS + shift}
        np.savez(predictions_file(tmp_path, candidate), **kept)
    return tmp_path


def test_the_pick_and_the_best_simple_design_stand_side_by_side(folder: Path) -> None:
    pick: Any = SimpleNamespace(digest="a", candidate="first", number=1)
    found = read_shown_masks(trials(folder), pick, lambda record: f"trial {record.number}")
    assert found is not None
    assert (found.ids, found.labels, list(found.said)) == (("p1", "p4"), ("none", "lesion"), ["trial 1", "trial 2"])
    np.testing.assert_array_equal(found.said["trial 2"], MASKS + 1)


def test_a_design_without_pictures_is_left_out(folder: Path) -> None:
    predictions_file(folder, "first").unlink()
    pick: Any = SimpleNamespace(digest="a", candidate="first", number=1)
    found = read_shown_masks(trials(folder), pick, lambda record: f"trial {record.number}")
    assert found is not None
    assert list(found.said) == ["trial 2"]
    assert read_shown_masks(trials(folder), None, str) is None
