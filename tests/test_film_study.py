"""Films in every format that is read, written by the real writers, go from the manifest to the predictions of a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from bundles import bundle_of_all, predictions_of_files, served_predictions
from PIL import Image

from fusearch.data import Dataset, check_data, load_data
from fusearch.run import Run

ROWS = 24

#: Modality -> its keys, its encoder, and the packages beyond numpy that its bundle asks for.
FORMATS = {
    "folders": ({"column": "folder", "root": "films", "frames": 4, "channels": 1}, "frame_gru(stages=1)", ["pillow"]),
    "files": ({"column": "file", "window": [0, 255]}, "r2plus1d(stages=1)", None),
    "array": ({"file": "array.npz", "key": "x"}, "cnn3d(stages=1)", None),
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    rng, ids = np.random.default_rng(0), [f"p{row:02d}" for row in range(ROWS)]
    sick, lengths = rng.random(ROWS) < 0.5, rng.integers(1, 7, ROWS)
    lengths[0] = 6
    array = np.full((ROWS, 6, 6, 5), np.nan)
    (folder / "npy").mkdir()
    for row, length in enumerate(lengths):
        pixels = (rng.integers(0, 100, (length, 6, 5, 3)) + 100 * sick[row]).astype(np.uint8)
        (folder / "films" / ids[row]).mkdir(parents=True)
        for frame, picture in enumerate(pixels):
            Image.fromarray(picture).save(folder / "films" / ids[row] / f"{frame + 7}.png")  # 9 comes before 10
        np.save(folder / "npy" / f"{row}.npy", pixels)
        array[row, :length] = pixels[..., 0]
    names = [f"npy/{row}.npy" for row in range(ROWS)]
    names[3] = ""  # that sample lacks it
    np.savez(folder / "array.npz", x=array[::-1], id=np.array(ids)[::-1])
    table = {"id": ids, "sick": np.where(sick, "yes", "no"), "folder": ids, "file": names}
    pd.DataFrame(table).to_csv(folder / "films.csv", index=False)
    modalities = {name: {"kind": "video", "file": "films.csv", **keys} for name, (keys, *_) in FORMATS.items()}
    document = {"id": "id", "task": {"kind": "classification", "file": "films.csv", "column": "sick"}, "modalities": modalities}
    (folder / "study.yaml").write_text(yaml.safe_dump({**document, "splits": {"folds": 2}}), encoding="utf-8")
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def data(manifest: Path) -> Dataset:
    return load_data(manifest)


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search import run_search
    from fusearch.search_space import FusionGraph, SearchSpace

    streams = " | ".join(f"{name}:{encoder}" for name, (_, encoder, _) in FORMATS.items())
    every = FusionGraph.parse(f"{streams}\nF1 = cat({', '.join(f'{name}@L' for name in FORMATS)}; trunk=fc:0) ->", data.modalities)
    out = tmp_path_factory.mktemp("runs") / "films"
    evaluator = TrainingEvaluator(data, folds=2, epochs=1)
    return run_search(SearchSpace(data.modalities), evaluator, ("auroc", "macs"), out=out, trials=2, executor="inline", first=[every])


def test_every_format_holds_the_same_film(data: Dataset, manifest: Path) -> None:
    found = check_data(manifest)
    assert found.ok
    shapes = {name: entry["shape"] for name, entry in found.modalities.items()}
    assert shapes == {"folders": [1, 4, 6, 5], "files": [3, 6, 6, 5], "array": [1, 6, 6, 5]}
    present = data.present["files"]
    assert present.sum() == ROWS - 1
    np.testing.assert_allclose(data.raw["files"][present, :1] * 255, data.raw["array"][present], atol=1e-4)
    first = np.tensordot(data.raw["files"][0] * 255, [0.299, 0.587, 0.114], axes=(0, 0))
    np.testing.assert_allclose(data.raw["folders"][0, 0], first[[0, 2, 3, 5]], atol=1e-3)  # four of six, evenly


def test_what_is_behind_the_end_has_no_part_in_preprocessing(data: Dataset) -> None:
    inputs, _ = data.fit_preprocessor(data.rows("search")).transform(data, data.rows("search"))
    raw, found = data.raw["array"][data.rows("search")], inputs["array"]
    gone = np.isnan(raw)
    assert gone.any()
    assert not found[gone].any()
    np.testing.assert_allclose((found[~gone].mean(), found[~gone].std()), (0, 1), atol=1e-4)


def test_they_are_searched_and_reported(run: Run) -> None:
    from fusearch.reports import write_report

    assert [record.reason for record in run.records() if record.state == "failed"] == []
    assert "folders" in write_report(run).read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_bundle_reads_the_same_files_without_fusearch(run: Run, data: Dataset, manifest: Path, tmp_path: Path) -> None:
    bundle, inputs = bundle_of_all(run, FORMATS, tmp_path)
    assert {name: entry.get("packages") for name, entry in inputs.items()} == {name: packages for name, (*_, packages) in FORMATS.items()}
    assert "pillow" in (bundle / "requirements.txt").read_text(encoding="utf-8")
    predictions, expected = predictions_of_files(
        bundle, data, lambda name: manifest.parent / FORMATS[name][0].get("file", "films.csv"), ["no", "yes"], tmp_path
    )
    np.testing.assert_allclose(predictions.to_numpy(), expected, atol=1e-5)
    assert predictions["yes"].nunique() > 1
    pytest.importorskip("fastapi", reason="needs fusearch[serve]")
    folder, rows = manifest.parent, [0, 1, 2]
    arrays = np.where(np.isnan(data.raw["array"]), None, data.raw["array"])
    samples = [{"array": arrays[row].tolist(), "folders": folder / f"films/p{row:02d}", "files": folder / f"npy/{row}.npy"} for row in rows]
    np.testing.assert_allclose(served_predictions(bundle, samples, ["no", "yes"]), expected[rows], atol=1e-5)


def test_another_cohort_with_shorter_films_is_filled_up(manifest: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(manifest.read_text(encoding="utf-8"))
    folder = manifest.parent
    table = pd.read_csv(folder / "films.csv", keep_default_na=False)
    lengths = [0 if not name else len(np.load(folder / name)) for name in table["file"]]
    for name, keep in (("short.csv", [0 < length < 5 for length in lengths]), ("long.csv", [length > 0 for length in lengths])):
        table[keep].to_csv(folder / name, index=False)
    keys = {"kind": "video", "column": "file"}

    def write(name: str, file: str, **more: object) -> Path:
        entries = {"task": {**document["task"], "file": file}, "modalities": {"files": {**keys, "file": file}}, **more}
        (folder / name).write_text(yaml.safe_dump({"id": "id", **entries}), encoding="utf-8")
        return folder / name

    write("other.yaml", "short.csv")
    found = load_data(write("ours.yaml", "long.csv", splits={"test": "other.yaml"}))
    theirs = found.raw["files"][found.split_of == "test"]
    assert theirs.shape[1:] == (3, 6, 6, 5)
    assert np.isnan(theirs[:, :, 4:]).all()
    write("other.yaml", "long.csv")
    (problem, *_) = check_data(write("ours.yaml", "short.csv", splits={"test": "other.yaml"})).problems
    assert problem.what.endswith("modality 'files' has samples of shape (3, 6, 6, 5), expected (3, 4, 6, 5)")
