"""What a bundle asks for is what its program imports to read the files of its training: each format, read by the program itself."""

from __future__ import annotations

import importlib
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from edf import write_edf
from PIL import Image
from scipy.io import wavfile
from volume_files import write_dicom, write_nifti, write_series
from workbook_files import write_book

from fusearch.data import Dataset, load_data, load_manifest
from fusearch.data.readers import READERS, find_reader
from fusearch.evaluators.export import predict
from fusearch.evaluators.export.documents import REQUIREMENTS, requirements
from fusearch.evaluators.export.inputs import describe_inputs
from fusearch.serving.forms import form_of, uploads_of

soundfile = pytest.importorskip("soundfile", reason="needs the reader of fusearch[audio]")

ROWS = 6
IDS = [f"p{row}" for row in range(ROWS)]
WORDS, GENES = ("a word or two", "another word"), ("ACGT", "ACCT")
_SOUND = {"kind": "audio", "rate": 8000, "seconds": 0.1, "mels": 8}

#: Modality -> its keys, and the packages beside numpy, onnxruntime and pandas that its bundle needs. Tables lie in a folder of their own.
FORMATS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "csv": ({"kind": "tabular", "file": "tables/t.csv"}, set()),
    "parquet": ({"kind": "tabular", "file": "tables/t.parquet"}, {"pyarrow"}),
    "workbook": ({"kind": "tabular", "file": "tables/t.xlsx"}, {"openpyxl"}),
    "array": ({"kind": "tabular", "file": "x.npz", "key": "x"}, set()),
    "png": ({"kind": "image2d", "column": "png"}, {"pillow"}),
    "jpg": ({"kind": "image2d", "column": "jpg", "file": "tables/files.parquet"}, {"pillow", "pyarrow"}),
    "tif": ({"kind": "image2d", "column": "tif"}, {"pillow"}),
    "picture": ({"kind": "image2d", "column": "image_npy"}, set()),
    "xray": ({"kind": "image2d", "column": "dcm"}, {"pydicom"}),
    "unnamed": ({"kind": "image2d", "column": "dicom"}, {"pydicom"}),
    "nifti": ({"kind": "volume3d", "column": "nii"}, {"nibabel"}),
    "plain_nifti": ({"kind": "volume3d", "column": "plain"}, {"nibabel"}),
    "slices": ({"kind": "volume3d", "column": "series"}, {"pydicom"}),
    "volume": ({"kind": "volume3d", "column": "volume_npy"}, set()),
    "frames": ({"kind": "video", "column": "film"}, {"pillow"}),
    "film": ({"kind": "video", "column": "film_npy"}, set()),
    "wav": ({**_SOUND, "column": "wav"}, {"scipy"}),
    "flac": ({**_SOUND, "column": "flac"}, {"scipy", "soundfile"}),
    "edf": ({"kind": "timeseries", "column": "edf", "channels": ["a"], "rate": 10, "seconds": 1}, {"pyedflib", "scipy"}),
    "steps": ({"kind": "timeseries", "file": "tables/steps.parquet", "time": "t", "channels": ["hr"]}, {"pyarrow"}),
    "note": ({"kind": "text", "column": "note"}, set()),
    "letter": ({"kind": "text", "column": "txt", "root": "files"}, set()),
    "gene": ({"kind": "sequence", "column": "gene", "alphabet": "dna"}, set()),
    "fasta": ({"kind": "sequence", "file": "genes.fasta", "alphabet": "dna"}, set()),
    "graph": ({"kind": "graph", "column": "graph"}, set()),
    "long": (
        {"kind": "graph", "file": "tables/nodes.csv", "node": "atom", "features": ["q"], "edges": "edges.parquet"},
        {"pyarrow"},
    ),
    "sheets": (
        {
            "kind": "graph",
            "file": "tables/atoms.xlsx",
            "sheet": "atoms",
            "node": "atom",
            "features": ["q"],
            "edges": "tables/atoms.xlsx",
            "edges_sheet": "bonds",
        },
        {"openpyxl"},
    ),
    "joints": ({"kind": "graph", "file": "joints.npy", "edges": "bones.parquet"}, set()),
}
#: What is imported under another name than it is installed by.
_INSTALLED = {"PIL": "pillow"}
_READS = {"PIL", "nibabel", "openpyxl", "pyarrow", "pydicom", "pyedflib", "scipy", "soundfile", "tokenizers"}


def write_sample(files: Path, row: int) -> dict[str, str]:
    """Write a sample in every format, and return column -> name."""
    rng = np.random.default_rng(row)
    pixels, volume = rng.integers(0, 255, (6, 5), np.uint8), rng.integers(0, 100, (4, 4, 4)).astype(np.float32)
    for suffix in ("png", "jpg", "tif"):
        Image.fromarray(pixels).save(files / f"{row}.{suffix}")
    np.save(files / f"image{row}.npy", pixels)
    for name in (f"{row}.dcm", f"scan{row}"):
        write_dicom(files / name, pixels.astype(np.uint16))
    write_nifti(files / f"{row}.nii.gz", volume)
    write_nifti(files / f"{row}.nii", volume)
    write_series(files / f"series{row}", volume)
    np.save(files / f"volume{row}.npy", volume)
    (files / f"film{row}").mkdir()
    for frame in range(3):
        Image.fromarray(pixels).save(files / f"film{row}" / f"{frame}.png")
    np.save(files / f"film{row}.npy", np.stack([pixels, pixels])[..., None])
    sound = rng.normal(size=800) / 10
    wavfile.write(files / f"{row}.wav", 8000, sound.astype(np.float32))
    soundfile.write(files / f"{row}.flac", sound, 8000)
    write_edf(files / f"{row}.edf", {"a": (rng.normal(size=10), 10)})
    (files / f"{row}.txt").write_text(WORDS[row % 2], encoding="utf-8")
    np.savez(files / f"graph{row}.npz", features=rng.normal(size=(3, 2)), edges=np.array([[0, 1], [1, 2]]))
    names = {"image_npy": f"image{row}.npy", "volume_npy": f"volume{row}.npy", "film_npy": f"film{row}.npy", "dicom": f"scan{row}"}
    names |= {name: f"{row}.{name}" for name in ("png", "jpg", "tif", "dcm", "wav", "flac", "edf", "txt")}
    return {
        **names,
        "nii": f"{row}.nii.gz",
        "plain": f"{row}.nii",
        "series": f"series{row}",
        "film": f"film{row}",
        "graph": f"graph{row}.npz",
    }


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("formats")
    for name in ("tables", "files"):
        (folder / name).mkdir()
    named = pd.DataFrame([{"id": name, **write_sample(folder / "files", row)} for row, name in enumerate(IDS)])
    for column, pair in (("note", WORDS), ("gene", GENES), ("sick", ("yes", "no"))):
        named[column] = pair * (ROWS // 2)
    named.to_csv(folder / "tables" / "files.csv", index=False)
    named.to_parquet(folder / "tables" / "files.parquet", index=False)
    table = pd.DataFrame({"id": IDS, "x": np.arange(ROWS) % 4, "y": np.arange(ROWS) * 0.5})
    table.to_csv(folder / "tables" / "t.csv", index=False)
    table.to_parquet(folder / "tables" / "t.parquet", index=False)
    table.to_excel(folder / "tables" / "t.xlsx", index=False)
    np.savez(folder / "x.npz", x=table[["x", "y"]].to_numpy(), id=np.array(IDS))
    np.save(folder / "joints.npy", np.random.default_rng(0).normal(size=(ROWS, 3, 2)))
    pd.DataFrame({"source": [0, 1], "target": [1, 2]}).to_parquet(folder / "bones.parquet")
    steps = [{"id": name, "t": step, "hr": 60.0 + step * row} for row, name in enumerate(IDS) for step in range(3)]
    pd.DataFrame(steps).to_parquet(folder / "tables" / "steps.parquet", index=False)
    nodes = pd.DataFrame([{"id": name, "atom": atom, "q": 0.5 * row} for row, name in enumerate(IDS) for atom in "ab"])
    edges = pd.DataFrame([{"id": name, "source": "a", "target": "b"} for name in IDS])
    nodes.to_csv(folder / "tables" / "nodes.csv", index=False)
    edges.to_parquet(folder / "edges.parquet", index=False)
    write_book(folder / "tables" / "atoms.xlsx", atoms=nodes, bonds=edges)
    (folder / "genes.fasta").write_text("".join(f">{name}\n{GENES[row % 2]}\n" for row, name in enumerate(IDS)), encoding="utf-8")
    modalities = {name: {"file": "tables/files.csv", **keys} for name, (keys, _) in FORMATS.items()}
    for keys in modalities.values():
        if "column" in keys and keys["kind"] not in ("text", "sequence"):
            keys["root"] = "files"
    task = {"kind": "classification", "file": "tables/files.csv", "column": "sick"}
    document = {"id": "id", "task": task, "modalities": modalities, "splits": {"folds": 2}}
    (folder / "study.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def data(manifest: Path) -> Dataset:
    return load_data(manifest)


def test_every_reader_is_among_them(data: Dataset, manifest: Path) -> None:
    keys = load_manifest(manifest).modalities
    assert {find_reader(each.entry, keys[each.name].file).name for each in data.modalities} == set(READERS)


@pytest.mark.parametrize("name", FORMATS)
def test_the_program_imports_what_requirements_list_and_they_list_nothing_more(
    name: str, manifest: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = describe_inputs(data, [data.modality(name)])
    listed = {line.partition(">=")[0] for line in requirements(spec).splitlines()} - set(REQUIREMENTS)
    seen: set[str] = set()
    real = importlib.import_module

    def spy(module: str, package: str | None = None) -> Any:
        seen.add(module.partition(".")[0])
        return real(module, package)

    monkeypatch.setattr(importlib, "import_module", spy)
    entry = spec["modalities"][name]
    ids, values = predict.read(manifest.parent / FORMATS[name][0].get("file", "tables/files.csv"), entry, spec)
    assert ids == (None if name == "joints" else IDS)
    np.testing.assert_allclose(values, data.raw[name], atol=1e-5)
    imported = {_INSTALLED.get(package, package) for package in seen & _READS}
    assert imported == listed == FORMATS[name][1]
    assert all(version(package) for package in listed)


def test_a_new_workbook_of_graphs_holds_its_own_edges(manifest: Path, data: Dataset, tmp_path: Path) -> None:
    """Under another name, beside the workbook of the training or not."""
    spec = describe_inputs(data, [data.modality("sheets")])
    nodes = pd.DataFrame({"id": ["n1", "n1", "n2"], "atom": ["a", "b", "a"], "q": [1.0, 2, 3]})
    edges = pd.DataFrame({"id": ["n1"], "source": ["a"], "target": ["b"]})
    shutil.copy(manifest.parent / "tables" / "atoms.xlsx", tmp_path)
    for bonds, weight in ((edges, 1), (edges[:0], 0)):
        path = write_book(tmp_path / "new.xlsx", atoms=nodes, bonds=bonds)
        ids, values = predict.read(path, spec["modalities"]["sheets"], spec)
        assert ids == ["n1", "n2"]
        np.testing.assert_array_equal(values[0], [[1, 1, weight], [2, weight, 1]])


def test_what_a_request_may_hold_of_each(data: Dataset) -> None:
    entries = describe_inputs(data, data.modalities)["modalities"]
    files = {name for name, entry in entries.items() if uploads_of(entry)}
    assert files == {name for name, (keys, _) in FORMATS.items() if "column" in keys} - {"note", "gene"}
    assert {name for name, entry in entries.items() if form_of(entry) is None} == {"steps", "long", "sheets", "joints", "fasta"}
