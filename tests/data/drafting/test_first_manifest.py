"""`draft_manifest`: what it writes is accepted by `check`, or says what is wrong in one line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from workbook_files import write_book

from fusearch.data import check_data, draft_manifest, load_data
from fusearch.errors import DataError, ManifestError
from fusearch.yaml_file import read_yaml

ROWS = 60
SHARED = os.environ.get("FUSEARCH_SHARED_DATA")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder as people have it: labels, a workbook, Parquet, long form, images named by the id, an array."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "clinic"
    (folder / "cxr").mkdir(parents=True)
    ids = [f"{row:03d}" for row in range(ROWS)]
    sick = rng.integers(0, 2, ROWS)
    labels = {"patient": ids, "vital": np.where(sick, "dead", "alive"), "code": sick + 1, "months": rng.exponential(20, ROWS) + 0.5}
    labels |= {"died": sick, "grade": rng.integers(0, 4, ROWS), "hospital": rng.choice(["a", "b"], ROWS)}
    pd.DataFrame(labels).to_csv(folder / "labels.csv", index=False)
    age = ["?", *rng.integers(30, 80, ROWS - 1).astype(str)]
    write_book(folder / "clinical.xlsx", Sheet1=pd.DataFrame({"patient": ids[::-1], "age": age, "sex": rng.choice(["f", "m"], ROWS)}))
    genes = pd.DataFrame(rng.normal(size=(50, 20))).add_prefix("g").assign(patient=ids[:50])
    genes.to_parquet(folder / "rna.parquet")
    steps = [{"patient": name, "t": step, "pulse": rng.normal()} for name in ids for step in range(4 + int(name) % 2)]
    pd.DataFrame(steps).to_csv(folder / "vitals.csv", index=False)
    for name in ids:
        Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).save(folder / "cxr" / f"{name}.png")
    np.save(folder / "ecg.npy", rng.normal(size=(ROWS, 9, 2)))
    return folder


def test_a_folder_becomes_a_data_set(study: Path) -> None:
    made = draft_manifest(study, targets=["vital"])
    assert [path.name for path in made.written] == ["clinic.yaml", "clinic_files.csv"]
    result = check_data(made.path)
    assert result.ok, result.problems
    data = load_data(made.path)
    found = {modality.name: (modality.kind, modality.shape) for modality in data.modalities}
    assert found == {
        "labels": ("tabular", (4,)),
        "clinical": ("tabular", (3,)),
        "rna": ("tabular", (20,)),
        "vitals": ("timeseries", (5, 1)),
        "cxr": ("image2d", (1, 8, 8)),
        "ecg": ("timeseries", (9, 2)),
    }
    assert data.ids[:2].tolist() == ["000", "001"]
    assert data.columns["labels"].columns == ("months", "grade", "hospital"), "`code` and `died` say what `vital` says"
    assert np.isnan(data.raw["clinical"][-1, 0]), "`?` is a missing value"
    text = made.path.read_text(encoding="utf-8")
    for told in ("# Left out: 'code', it says the same as the target", "add `group: hospital`", "cxr/*.png (`*` is the id)"):
        assert told in text


def test_pictures_of_several_formats_are_one_modality_without_gaps(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ids = [f"p{row}" for row in range(20)]
    (tmp_path / "cxr").mkdir()
    pd.DataFrame({"patient": ids, "vital": ["dead", "alive"] * 10}).to_csv(tmp_path / "labels.csv", index=False)
    for row, name in enumerate(ids):
        picture = Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8))
        picture.save(tmp_path / "cxr" / f"{name}{('.png', '.jpg', '.tif')[row % 3]}")
    made = draft_manifest(tmp_path, targets=["vital"])
    assert made.notes == ()
    data = load_data(made.path)
    assert [(each.name, each.shape) for each in data.modalities] == [("cxr", (1, 8, 8))]
    assert not np.isnan(data.raw["cxr"]).any()
    assert "cxr/*.png, .jpg, .tif (`*` is the id)" in made.path.read_text(encoding="utf-8")


@pytest.mark.parametrize("named", [False, True], ids=["by the id", "by a table"])
def test_files_of_nodes_and_edges_are_graphs(tmp_path: Path, named: bool) -> None:
    rng = np.random.default_rng(0)
    ids = [f"s{row}" for row in range(20)]
    (tmp_path / "molecules").mkdir()
    for row, name in enumerate(ids):
        features = rng.normal(size=(3 + row % 3, 2))
        np.savez(tmp_path / "molecules" / f"{name}.npz", features=features, edges=np.array([[0, 1], [1, 2]]))
    table = {"sample": ids, "active": rng.integers(0, 2, 20)} | ({"molecule": [f"{name}.npz" for name in ids]} if named else {})
    pd.DataFrame(table).to_csv(tmp_path / "labels.csv", index=False)
    made = draft_manifest(tmp_path, targets=["active"])
    assert check_data(made.path).ok
    (found,) = load_data(made.path).modalities
    assert (found.name, found.kind, found.shape) == ("molecule" if named else "molecules", "graph", (5, 2 + 5))


@pytest.mark.parametrize(
    ("targets", "task", "other"),
    [
        (["vital"], {"kind": "classification", "column": "vital"}, ""),
        (["grade"], {"kind": "classification", "column": "grade"}, "Could also be `kind: regression`"),
        (["months"], {"kind": "regression", "column": "months"}, ""),
        (["died", "months"], {"kind": "survival", "time": "months", "event": "died"}, "Could also be `kind: discrete_survival`"),
        (["died", "grown"], {"kind": "multilabel", "columns": ["died", "grown"]}, ""),
        ([], {"kind": "classification", "column": "Outcome"}, ""),
    ],
)
def test_the_task_is_what_the_target_holds(study: Path, targets: list[str], task: dict[str, Any], other: str) -> None:
    labels = pd.read_csv(study / "labels.csv", dtype={"patient": str})
    labels.assign(grown=np.arange(ROWS) % 2, Outcome=np.arange(ROWS) // 20).to_csv(study / "labels.csv", index=False)
    made = draft_manifest(study, targets=targets, out=study / "other.yaml")
    assert read_yaml(made.path)["task"] == {"file": "labels.csv", **task}
    assert other in made.path.read_text(encoding="utf-8")
    assert check_data(made.path).ok


def test_what_exists_is_overwritten_only_by_force(study: Path, tmp_path: Path) -> None:
    made = draft_manifest(study, targets=["vital"], out=tmp_path / "a.yaml")
    before = made.path.read_text(encoding="utf-8")
    with pytest.raises(ManifestError, match=r"a.yaml' exists, expected another name, or --force to overwrite it"):
        draft_manifest(study, targets=["vital"], out=made.path)
    made.path.unlink()
    with pytest.raises(ManifestError, match=r"a_files.csv' exists"):
        draft_manifest(study, targets=["vital"], out=made.path)
    assert not made.path.exists()
    assert draft_manifest(study, targets=["vital"], out=made.path, force=True).path.read_text(encoding="utf-8") == before
    assert "clinic/labels.csv" in before, "paths are those from the manifest"
    with pytest.raises(ManifestError, match=r"cannot be written \(No such file or directory\), expected --out with another place"):
        draft_manifest(study, targets=["vital"], out=tmp_path / "gone" / "a.yaml")


def _only(folder: Path, **tables: pd.DataFrame) -> Path:
    folder.mkdir()
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.mark.parametrize(
    ("tables", "targets", "message"),
    [
        ({"a": {"id": [1, 2], "vital": ["x", "y"]}}, ["vitl"], r"has a column 'vitl', did you mean 'vital' \(in a.csv\)\?"),
        (
            {"a": {"id": [1, 2], "z": ["x", "y"]}},
            [],
            "no column is named like a target, expected --target with the one to predict, one of: id, z",
        ),
        ({"a": {"u": [1, 2]}, "b": {"v": [1, 2]}}, ["u", "v"], "no table has all of u, v, expected them in one table"),
        (
            {"a": {"n": [0.5] * 9, "y": list("ababababa")}, "b": {"x": [1.5] * 7}},
            ["y"],
            r"no column joins a.csv \(n, y\); b.csv \(x\); expected one of one name with the ids of the samples, in a.csv each once",
        ),
        (
            {"a": {"id": range(9), "y": list("abcdefghi")}},
            ["y"],
            r"a.csv: column 'y' holds 9 different values in 9 rows \(such as 'a'\), expected two classes or more",
        ),
        ({"a": {"id": range(9), "y": list("ababababa")}}, ["y"], "a.csv has no column beside the id and the target"),
    ],
)
def test_what_cannot_be_drafted_is_one_line(tmp_path: Path, tables: dict[str, Any], targets: list[str], message: str) -> None:
    folder = _only(tmp_path / "s", **{name: pd.DataFrame(columns) for name, columns in tables.items()})
    with pytest.raises(DataError, match=message) as caught:
        draft_manifest(folder, targets=targets)
    assert "\n" not in str(caught.value)
    assert not (folder / "s.yaml").exists()


@pytest.mark.skipif(SHARED is None, reason="FUSEARCH_SHARED_DATA names no folder with the data sets")
@pytest.mark.parametrize(
    ("name", "target", "samples", "count"),
    [("rosmap_mogonet", "y", 351, 3), ("brca263_mogonet", "y", 263, 3), ("proctor_opcnn", "Label", 828, 1)],
)
def test_the_real_sets_as_they_lie_there(tmp_path: Path, name: str, target: str, samples: int, count: int) -> None:
    result = check_data(draft_manifest(Path(SHARED or "") / name, targets=[target], out=tmp_path / "s.yaml").path)
    assert result.ok, result.problems
    assert (result.samples, len(result.modalities)) == (samples, count)
