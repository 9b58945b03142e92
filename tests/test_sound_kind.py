"""Sounds from WAV and FLAC files to `predict.py`: check, search, report, export, and predictions that do without fusearch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from bundles import served_predictions
from scipy.io import wavfile

from fusearch.data import Dataset, check_data, load_data
from fusearch.run import Run

soundfile = pytest.importorskip("soundfile", reason="needs the reader of fusearch[audio]")

ROWS = 40
SICK = np.arange(ROWS) % 2 == 0
IDS = [f"p{row:02d}" for row in range(ROWS)]


def tone(row: int, rate: int) -> np.ndarray:
    """Return 0.2 to 0.4 s of noise and a tone, higher for the sick."""
    rng = np.random.default_rng(row)
    time = np.arange(int(rate * rng.uniform(0.2, 0.4))) / rate
    return 0.3 * np.sin(2 * np.pi * (1500 if SICK[row] else 500) * time) + 0.05 * rng.normal(size=len(time))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study of sounds: WAV of 16 bits at 8 and at 16 kHz, in stereo, of floats, and FLAC; one sample has none."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "sounds").mkdir()
    names: list[str | None] = []
    for row, name in enumerate(IDS):
        rate = (8_000, 16_000)[row % 3 == 0]
        signal, path = tone(row, rate), folder / "sounds" / f"{name}.{'flac' if row % 5 == 0 else 'wav'}"
        if row % 5 == 0:
            soundfile.write(path, signal, rate)
        elif row % 5 == 1:
            wavfile.write(path, rate, np.round(32767 * np.stack([signal, signal], axis=1)).astype(np.int16))
        else:
            wavfile.write(path, rate, signal.astype(np.float32))
        names.append(path.name)
    names[7] = None
    pd.DataFrame({"id": IDS, "sick": np.where(SICK, "yes", "no"), "cough": names, "age": np.arange(ROWS) % 9}).to_csv(
        folder / "labels.csv", index=False
    )
    keys = {"kind": "audio", "file": "labels.csv", "column": "cough", "root": "sounds", "rate": 8000, "seconds": 0.3, "mels": 12}
    document = {
        "id": "id",
        "task": {"kind": "classification", "file": "labels.csv", "column": "sick"},
        "modalities": {"cough": keys, "clinic": {"kind": "tabular", "file": "labels.csv"}},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def data(folder: Path) -> Dataset:
    return load_data(folder / "study.yaml")


def test_the_data_set(data: Dataset, folder: Path) -> None:
    assert data.modality("cough").shape == (28, 12)
    assert data.present["cough"].tolist() == [row != 7 for row in range(ROWS)]
    assert data.columns["clinic"].columns == ("age",)
    assert check_data(folder / "study.yaml").ok
    spectrum = data.raw["cough"][data.present["cough"]].mean(axis=1)
    sick = SICK[data.present["cough"]]
    assert spectrum[sick].mean(axis=0).argmax() > spectrum[~sick].mean(axis=0).argmax()


def test_search_report_export_and_predict(data: Dataset, folder: Path, tmp_path: Path) -> None:
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.evaluators.export import export
    from fusearch.reports import write_report
    from fusearch.search import run_search
    from fusearch.search_space import SearchSpace

    evaluator = TrainingEvaluator(data, folds=2, epochs=1)
    run: Run = run_search(SearchSpace(data.modalities), evaluator, ("auroc", "macs"), out=tmp_path / "run", trials=2, executor="inline")
    assert [record.reason for record in run.records() if record.state == "failed"] == []
    assert "cough" in write_report(run).read_text(encoding="utf-8")
    design = next(record for record in run.records() if "cough" in record.formula and "clinic" in record.formula)
    bundle = export(run, tmp_path / "bundle", pick=design.digest, seeds=1)
    assert "scipy>=" in (bundle / "requirements.txt").read_text(encoding="utf-8")
    assert "names a WAV or FLAC file a row; 0.3 s at 8000 Hz are read" in (bundle / "model_card.md").read_text(encoding="utf-8")
    table = folder / "labels.csv"
    command = [sys.executable, "-W", "ignore", str(bundle / "predict.py"), "--cough", str(table), "--clinic", str(table)]
    subprocess.run([*command, "--out", str(tmp_path / "out.csv")], check=True, cwd=tmp_path)
    found = pd.read_csv(tmp_path / "out.csv").set_index("id")

    import onnxruntime

    session = onnxruntime.InferenceSession(bundle / "model.onnx", providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {f"raw.{name}": data.raw[name] for name in data.raw})
    np.testing.assert_allclose(found.loc[data.ids.tolist(), ["no", "yes"]], expected, atol=1e-5)

    pytest.importorskip("fastapi", reason="needs fusearch[serve]")
    rows = [0, 1, 2, 7]
    sounds = {row: next((folder / "sounds").glob(f"{IDS[row]}.*")) for row in rows[:3]}  # the last one has none
    samples = [{"clinic": {"age": row % 9}, **({"cough": sounds[row]} if row in sounds else {})} for row in rows]
    np.testing.assert_allclose(served_predictions(bundle, samples, ["no", "yes"]), expected[rows], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.wav", b"", "empty.wav: an empty file, expected WAV"),
        ("text.wav", b"id,cough\n1,2\n", "text.wav: cannot be read as WAV ("),
        ("cut.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "cut.wav: cannot be read as WAV ("),
        ("text.flac", b"fLaC and then some text", "text.flac: cannot be read as FLAC ("),
        ("sound.mp3", b"ID3", "sound.mp3: expected a file that ends in one of: .wav, .flac"),
        ("gone.wav", None, "gone.wav: there is no such file in "),
    ],
)
def test_a_broken_sound_is_told_with_its_row(folder: Path, name: str, content: bytes | None, told: str) -> None:
    if content is not None:
        (folder / "sounds" / name).write_bytes(content)
    assert told in refused(folder, name)


def test_a_sound_of_zero_length_or_without_its_end(folder: Path) -> None:
    path = folder / "sounds" / "odd.wav"
    wavfile.write(path, 8000, np.zeros(0, np.int16))
    assert "odd.wav: a sound of zero length, expected samples" in refused(folder, path.name)
    wavfile.write(path, 8000, np.zeros(800, np.int16))
    path.write_bytes(path.read_bytes()[:500])
    assert "odd.wav: " in refused(folder, path.name)
    wavfile.write(path, 8000, np.full(800, np.nan, np.float32))
    assert "odd.wav: a sample that is no finite number" in refused(folder, path.name)


def refused(folder: Path, name: str) -> str:
    """Return what `check` says of a study whose second sound is this file."""
    labels = pd.read_csv(folder / "labels.csv")
    labels.loc[1, "cough"] = name
    labels.to_csv(folder / "broken.csv", index=False)
    document: dict[str, Any] = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    document["modalities"] = {"cough": {**document["modalities"]["cough"], "file": "broken.csv"}}
    (folder / "broken.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (problem, *_) = check_data(folder / "broken.yaml").problems
    assert problem.severity == "error"
    assert problem.what.startswith("modality 'cough': broken.csv, line 3: ")
    assert "\n" not in problem.what
    return problem.what
