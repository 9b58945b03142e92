"""Some of the published networks as built, each on files of its own kinds; `benchmarks/as_built.py` tries all 54."""

from __future__ import annotations

from pathlib import Path

import pytest
from installed import need_streams
from scripts import load_script

built = load_script(Path(__file__).parents[1] / "benchmarks" / "as_built.py")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def entries(study: Path):
    for package in ("nibabel", "soundfile", "PIL"):
        pytest.importorskip(package, reason="the files are written by it")
    return built.Writer(study).write()


@pytest.mark.slow
@pytest.mark.parametrize("key", ["nsclc-pet-surv", "miftp", "mmhfnet", "predictome-embc", "pbd-central-attn", "teus-mri-unet"])
def test_from_a_manifest_to_a_prediction(key: str, study: Path, entries) -> None:
    need_streams(built.STUDIES[key].design())
    record = built.measure(built.STUDIES[key], entries, study, epochs=1)
    assert record["works"], record
    assert "MACs" in record["score"]


def test_a_study_that_does_not_work_is_told_with_the_step_and_the_reason(study: Path, entries) -> None:
    (study / "tabular0.csv").rename(study / "elsewhere.csv")
    try:
        record = built.measure(built.STUDIES["opcnn"], entries, study, epochs=1)
    finally:
        (study / "elsewhere.csv").rename(study / "tabular0.csv")
    assert (record["works"], record["step"]) == (False, "check")
    assert "tabular0.csv" in record["reason"]


def test_every_study_has_a_task_that_a_manifest_knows() -> None:
    assert {built.task_of(study)["task"]["kind"] for study in built.STUDIES.values()} >= {"classification", "multilabel", "survival"}
    assert len(built.STUDIES) == 54
