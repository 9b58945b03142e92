"""`search --start published` on the real data sets, where they are at hand: every published design that fits is tried and told of."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

from fusearch.data import load_data
from fusearch.run import Run
from fusearch.search_space import SearchSpace, fitting_designs

FOLDER = os.environ.get("FUSEARCH_SHARED_DATA")
SCRIPT = Path(__file__).parents[2] / "examples" / "prepare_shared_data.py"


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    assert FOLDER is not None
    return {path.stem: path for path in load_script(SCRIPT).main(Path(FOLDER), tmp_path_factory.mktemp("prepared"))}


@pytest.mark.slow
@pytest.mark.skipif(FOLDER is None, reason="FUSEARCH_SHARED_DATA names no folder with the data sets")
@pytest.mark.parametrize("name", ["rosmap", "brca263", "proctor"])
def test_every_published_design_that_fits_is_tried(
    name: str, manifests: dict[str, Path], tmp_path: Path, fusearch: Callable[..., Any]
) -> None:
    data = load_data(manifests[name])
    fitting = fitting_designs(data.modalities)[0]
    references = sum(map(len, SearchSpace(data.modalities).references().values()))
    trials = references + 2 * len(fitting)  # the references keep their share beside them
    out = tmp_path / name
    settings = ("--executor", "inline", "--epochs", 2, "--folds", 2, "--trials", trials, "-o", "auroc", "-o", "macs")
    done = fusearch("search", manifests[name], "--start", "published", "--out", out, *settings)
    assert done.code == 0
    assert f"- {len(fitting)} published designs fit the data, {len(fitting)} of them were tried." in done.out
    found = json.loads((out / "report.json").read_text(encoding="utf-8"))["published"]
    assert {key for each in found["standings"] for key in each["studies"]} == set(fitting)
    assert all(each["tried"] and each["place"] is not None for each in found["standings"])
    order = [record.digest for record in Run(out).records() if record.state == "complete"]
    first = min(order.index(each["digest"]) for each in found["standings"])
    assert first >= references
    for each in found["nearest"]:
        assert 0 <= each["distance"] <= 1
