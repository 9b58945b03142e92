"""The example scripts of the data room, on the real data sets where they are at hand."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scripts import load_script
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from fusearch.data import check_data, load_data

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDER = os.environ.get("FUSEARCH_SHARED_DATA")
real_data = pytest.mark.skipif(FOLDER is None, reason="FUSEARCH_SHARED_DATA names no folder with the data sets")


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    assert FOLDER is not None
    paths = load_script(EXAMPLES / "prepare_shared_data.py").main(Path(FOLDER), tmp_path_factory.mktemp("prepared"))
    return {path.stem: path for path in paths}


@real_data
@pytest.mark.parametrize(
    ("name", "samples", "shapes"),
    [
        ("rosmap", 351, {"mrna": (200,), "meth": (200,), "mirna": (200,)}),
        ("brca263", 247, {"mrna": (503,), "meth": (503,), "mirna": (503,)}),
        ("proctor", 828, {"chem": (13,), "target": (4,), "tissue": (30,)}),
    ],
)
def test_each_set_is_a_sound_data_set(manifests: dict[str, Path], name: str, samples: int, shapes: dict[str, tuple[int, ...]]) -> None:
    result = check_data(manifests[name])
    assert result.ok
    assert result.samples == samples
    assert {key: tuple(entry["shape"]) for key, entry in result.modalities.items()} == shapes


@real_data
def test_the_linear_yardstick_of_rosmap_is_the_published_one(manifests: dict[str, Path]) -> None:
    data = load_data(manifests["rosmap"])
    search, test = data.rows("search"), data.rows("test")
    preprocessor = data.fit_preprocessor(search)
    fitted, asked = (np.hstack(list(preprocessor.transform(data, rows)[0].values())) for rows in (search, test))
    model = LogisticRegression(C=0.01, max_iter=1000).fit(fitted, data.targets[search])
    assert roc_auc_score(data.targets[test], model.predict_proba(asked)[:, 1]) == pytest.approx(0.901, abs=0.005)


@real_data
def test_look_alike_drugs_stay_together(manifests: dict[str, Path]) -> None:
    data = load_data(manifests["proctor"])
    assert data.groups is not None
    twins = np.hstack([data.raw["target"], data.raw["tissue"]])
    sides: dict[bytes, set[str]] = {}
    for row, split in zip(twins, data.split_of.tolist(), strict=True):
        sides.setdefault(row.tobytes(), set()).add(split)
    assert len(sides) < len(data)
    assert all(len(found) == 1 for found in sides.values())


@real_data
def test_no_row_of_brca_repeats_another(manifests: dict[str, Path]) -> None:
    assert not [problem for problem in check_data(manifests["brca263"]).problems if "identical" in problem.what]


@pytest.mark.parametrize(
    ("arguments", "message"), [([], "usage: "), (["{folder}", "{folder}/out"], "{folder}: none of rosmap_mogonet/rosmap.npz")]
)
def test_the_script_says_what_it_needs(tmp_path: Path, arguments: list[str], message: str) -> None:
    command = [sys.executable, str(EXAMPLES / "prepare_shared_data.py"), *(argument.format(folder=tmp_path) for argument in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(message.format(folder=tmp_path))


def test_the_yardsticks_are_computed_for_each_modality_and_all_of_them() -> None:
    found = load_script(EXAMPLES / "unimodal_yardsticks.py").scores("wisconsin")
    assert list(found) == ["mean", "error", "worst", "all"]
    assert found["all"]["linear"].shape == (5,)
    assert 0.9 < found["all"]["linear"].mean() <= 1
