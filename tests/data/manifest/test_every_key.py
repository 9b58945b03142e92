"""Every key of a manifest does something: change it, and the data set that is loaded changes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from edf import write_edf
from safetensors.numpy import save_file
from scipy.io import wavfile
from tiny_bert import write_bert
from volume_files import nibabel
from workbook_files import write_book

from fusearch.data import load_data
from fusearch.data.assembly.decoded import FOLDER
from fusearch.data.kinds import KINDS
from fusearch.data.manifest.manifest import Splits, kind_model, manifest_model
from fusearch.data.manifest.task_keys import task_model
from fusearch.errors import DataError
from fusearch.tasks import TASKS


def _set(*path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        place = document
        for key in path[:-1]:
            place = place.setdefault(key, {})
        if value is None:
            place.pop(path[-1], None)
        else:
            place[path[-1]] = copy.deepcopy(value)

    return change


def _splits(**keys: Any) -> Callable[[dict[str, Any]], None]:
    return _set("splits", value=keys)


def _only(modality: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    return _set("modalities", value={"rna": {"kind": "tabular", "file": "rna.csv"}, "x": modality})


def _survives(kind: str) -> Callable[[dict[str, Any]], None]:
    return _set("task", value={"kind": kind, "file": "labels.csv", "time": "months", "event": "died"})


def _masked(**keys: Any) -> tuple[Callable[[dict[str, Any]], None], ...]:
    """Two modalities of images, on other grids, and masks."""
    other = {**_IMAGES, "size": [3, 5]}
    task = {"kind": "segmentation", "file": "labels.csv", "column": "mask"} | keys
    return _set("modalities", value={"x": _IMAGES, "y": other}), _set("task", value=task)


_IMAGES = {"kind": "image2d", "file": "images.csv", "column": "path"}
_TEXT = {"kind": "text", "file": "written.csv", "column": "note"}
_DNA = {"kind": "sequence", "file": "written.csv", "column": "dna", "alphabet": "dna"}
_SOUND = {"kind": "audio", "file": "written.csv", "column": "sound", "rate": 1000, "seconds": 0.1, "mels": 4}
_LONG = {"kind": "timeseries", "file": "long.csv", "time": "t", "channels": ["pulse", "pressure"]}
_EDF = {"kind": "timeseries", "file": "written.csv", "column": "recording", "channels": ["ECG"], "rate": 10, "seconds": 1}
_LABELS = {"kind": "multilabel", "file": "labels.csv", "columns": ["died", "treated"]}
_VOLUMES = {"kind": "volume3d", "file": "volumes.csv", "column": "path"}
_FILMS = {"kind": "video", "file": "films.csv", "column": "path"}
_GRAPHS = {"kind": "graph", "file": "graphs.csv", "column": "path"}
_JOINTS = {"kind": "graph", "file": "series.npz", "key": "one", "edges": "bones.csv"}
_CELLS = {"kind": "graph", "file": "cells.csv", "node": "cell", "features": ["area"], "edges": "contacts.csv"}
_VITAL = {"kind": "classification", "file": "labels.csv", "column": "vital"}
_NUMBER = {"kind": "regression", "file": "labels.csv", "column": "months"}

#: Kind -> a modality of it in a sheet of a workbook; the other sheet has other values.
_SHEETS = {
    "tabular": {"file": "book.xlsx", "columns": ["number"]},
    "timeseries": {"file": "steps.xlsx", "time": "t", "channels": ["pulse"]},
    "image2d": {"file": "book.xlsx", "column": "image"},
    "volume3d": {"file": "book.xlsx", "column": "volume"},
    "audio": {"file": "book.xlsx", "column": "sound", "rate": 1000, "seconds": 0.1, "mels": 4},
    "video": {"file": "book.xlsx", "column": "film"},
    "graph": {"file": "book.xlsx", "column": "graph"},
    "text": {"file": "book.xlsx", "column": "note"},
    "sequence": {"file": "book.xlsx", "column": "dna", "alphabet": "dna"},
}
_SHEET_TASKS = {
    "classification": {"column": "vital"},
    "regression": {"column": "months"},
    "survival": {"time": "months", "event": "died"},
    "discrete_survival": {"time": "months", "event": "died"},
    "multilabel": {"columns": ["died", "treated"]},
}

#: (part, key) -> how the manifest reads before, and how with another value of that key.
KEYS: dict[tuple[str, str], tuple[tuple[Callable[[dict[str, Any]], None], ...], Callable[[dict[str, Any]], None]]] = {
    ("manifest", "name"): ((), _set("name", value="other")),
    ("manifest", "id"): (
        (_set("modalities", "ecg", value=None), _set("modalities", "rna", "columns", value=["g*"])),
        _set("id", value=None),
    ),
    ("manifest", "missing"): ((), _set("missing", value=["male"])),
    ("manifest", "decimal"): ((_only({"kind": "tabular", "file": "thousand.csv"}),), _set("decimal", value=",")),
    ("manifest", "task"): ((), _set("task", value=_NUMBER)),
    ("manifest", "tasks"): (
        (_set("tasks", value={"vital": _VITAL, "months": _NUMBER}), _set("task", value=None)),
        _set("tasks", "months", "weight", value=0.5),
    ),
    ("manifest", "encoders"): ((), _set("encoders", value={"rna": [{"encoder": "mlp(width=8)", "weights": "start.safetensors"}]})),
    ("manifest", "modalities"): ((), _set("modalities", "rna", value=None)),
    ("manifest", "splits"): ((), _set("splits", value=None)),
    ("classification", "kind"): ((_set("task", "column", value="grade"),), _set("task", "kind", value="regression")),
    ("classification", "file"): ((), _set("task", "file", value="later.csv")),
    ("classification", "column"): ((), _set("task", "column", value="hospital")),
    ("classification", "labels"): ((), _set("task", "labels", value=["dead", "alive"])),
    ("regression", "kind"): ((_set("task", value={**_NUMBER, "column": "grade"}),), _set("task", "kind", value="classification")),
    ("regression", "file"): ((_set("task", value=_NUMBER),), _set("task", "file", value="later.csv")),
    ("regression", "column"): ((_set("task", value=_NUMBER),), _set("task", "column", value="grade")),
    **{
        key: row
        for kind in ("survival", "discrete_survival")
        for key, row in {
            (kind, "kind"): ((_survives(kind),), _set("task", value=_NUMBER)),
            (kind, "file"): ((_survives(kind),), _set("task", "file", value="later.csv")),
            (kind, "time"): ((_survives(kind),), _set("task", "time", value="grade")),
            (kind, "event"): ((_survives(kind),), _set("task", "event", value="treated")),
            (kind, "times"): ((_survives(kind),), _set("task", "times", value=[10, 20])),
        }.items()
    },
    ("multilabel", "kind"): ((_set("task", value=_LABELS),), _set("task", value=_NUMBER)),
    ("multilabel", "file"): ((_set("task", value=_LABELS),), _set("task", "file", value="later.csv")),
    ("multilabel", "columns"): ((_set("task", value=_LABELS),), _set("task", "columns", value=["died"])),
    ("segmentation", "kind"): (_masked(), _set("task", value=_NUMBER)),
    ("segmentation", "file"): (_masked(), _set("task", "file", value="later.csv")),
    ("segmentation", "column"): (_masked(), _set("task", "column", value="other_mask")),
    ("segmentation", "labels"): (_masked(), _set("task", "labels", value=["none", "one", "two"])),
    ("segmentation", "root"): (_masked(), _set("task", "root", value="later")),
    ("segmentation", "sheet"): (_masked(file="labels.xlsx", sheet="now"), _set("task", "sheet", value="later")),
    ("segmentation", "of"): (_masked(), _set("task", "of", value="y")),
    ("tabular", "kind"): ((_only({"kind": "tabular", "file": "flat.npy"}),), _set("modalities", "x", "kind", value="timeseries")),
    ("tabular", "file"): ((), _set("modalities", "rna", "file", value="clinical_numbers.csv")),
    ("tabular", "columns"): ((), _set("modalities", "clinical", "columns", value=["age"])),
    ("tabular", "categorical"): ((), _set("modalities", "clinical", "categorical", value=["sex", "note"])),
    ("tabular", "key"): (
        (_only({"kind": "tabular", "file": "tables.npz", "key": "one"}),),
        _set("modalities", "x", "key", value="two"),
    ),
    ("tabular", "axes"): ((_only({"kind": "tabular", "file": "flat.npy"}),), _set("modalities", "x", "axes", value="DN")),
    ("timeseries", "axes"): ((_only({"kind": "timeseries", "file": "series.npy"}),), _set("modalities", "x", "axes", value="NCT")),
    ("image2d", "axes"): ((_only({"kind": "image2d", "file": "cubes.npy"}),), _set("modalities", "x", "axes", value="NHWC")),
    ("image2d", "size"): ((_only(_IMAGES),), _set("modalities", "x", "size", value=[3, 5])),
    ("image2d", "channels"): ((_only(_IMAGES),), _set("modalities", "x", "channels", value=3)),
    ("timeseries", "kind"): ((_only({"kind": "timeseries", "file": "series.npy"}),), _set("modalities", "x", "kind", value="image2d")),
    ("timeseries", "file"): ((), _set("modalities", "ecg", "file", value="later.npz")),
    ("timeseries", "key"): (
        (_only({"kind": "timeseries", "file": "series.npz", "key": "one"}),),
        _set("modalities", "x", "key", value="two"),
    ),
    ("image2d", "kind"): ((_only({"kind": "image2d", "file": "series.npy"}),), _set("modalities", "x", "kind", value="timeseries")),
    ("image2d", "file"): ((_only(_IMAGES),), _set("modalities", "x", "file", value="later_images.csv")),
    ("image2d", "key"): (
        (_only({"kind": "image2d", "file": "series.npz", "key": "one"}),),
        _set("modalities", "x", "key", value="two"),
    ),
    ("image2d", "column"): ((_only(_IMAGES),), _set("modalities", "x", "column", value="other")),
    ("image2d", "root"): ((_only(_IMAGES),), _set("modalities", "x", "root", value="later")),
    ("text", "kind"): ((_only({"kind": "text", "file": "series.npy"}),), _set("modalities", "x", "kind", value="timeseries")),
    ("text", "file"): ((_only(_TEXT),), _set("modalities", "x", "file", value="later_written.csv")),
    ("text", "column"): ((_only(_TEXT),), _set("modalities", "x", "column", value="dna")),
    ("text", "root"): ((_only({**_TEXT, "column": "path", "root": "."}),), _set("modalities", "x", "root", value="later")),
    ("text", "length"): ((_only(_TEXT),), _set("modalities", "x", "length", value=2)),
    ("text", "vocabulary"): ((_only(_TEXT),), _set("modalities", "x", "vocabulary", value=1)),
    ("text", "model"): ((_only(_TEXT),), _set("modalities", "x", "model", value="later")),
    ("text", "layers"): ((_only({**_TEXT, "model": "bert"}),), _set("modalities", "x", "layers", value=1)),
    ("text", "pooling"): ((_only({**_TEXT, "model": "bert"}),), _set("modalities", "x", "pooling", value="none")),
    ("text", "key"): ((_only({"kind": "text", "file": "series.npz", "key": "one"}),), _set("modalities", "x", "key", value="two")),
    ("text", "axes"): ((_only({"kind": "text", "file": "series.npy"}),), _set("modalities", "x", "axes", value="NDT")),
    ("sequence", "kind"): ((_only({"kind": "sequence", "file": "series.npy"}),), _set("modalities", "x", "kind", value="text")),
    ("sequence", "file"): ((_only(_DNA),), _set("modalities", "x", "file", value="later_written.csv")),
    ("sequence", "column"): ((_only(_DNA),), _set("modalities", "x", "column", value="other")),
    ("sequence", "alphabet"): ((_only(_DNA),), _set("modalities", "x", "alphabet", value="protein")),
    ("sequence", "length"): ((_only(_DNA),), _set("modalities", "x", "length", value=2)),
    ("sequence", "key"): ((_only({"kind": "sequence", "file": "series.npz", "key": "one"}),), _set("modalities", "x", "key", value="two")),
    ("sequence", "axes"): ((_only({"kind": "sequence", "file": "series.npy"}),), _set("modalities", "x", "axes", value="NDT")),
    ("timeseries", "time"): ((_only(_LONG),), _set("modalities", "x", "time", value="backwards")),
    ("timeseries", "channels"): ((_only(_LONG),), _set("modalities", "x", "channels", value=["pulse"])),
    ("timeseries", "length"): ((_only(_LONG),), _set("modalities", "x", "length", value=2)),
    ("timeseries", "column"): ((_only(_EDF),), _set("modalities", "x", "column", value="other_recording")),
    ("timeseries", "root"): ((_only(_EDF),), _set("modalities", "x", "root", value="later")),
    ("timeseries", "rate"): ((_only(_EDF),), _set("modalities", "x", "rate", value=5)),
    ("timeseries", "seconds"): ((_only(_EDF),), _set("modalities", "x", "seconds", value=0.5)),
    ("audio", "kind"): (
        (_only({"kind": "audio", "file": "written.csv", "column": "sound"}),),
        _set("modalities", "x", "kind", value="text"),
    ),
    ("audio", "file"): ((_only(_SOUND),), _set("modalities", "x", "file", value="later_written.csv")),
    ("audio", "column"): ((_only(_SOUND),), _set("modalities", "x", "column", value="other_sound")),
    ("audio", "root"): ((_only(_SOUND),), _set("modalities", "x", "root", value="later")),
    ("audio", "rate"): ((_only(_SOUND),), _set("modalities", "x", "rate", value=2000)),
    ("audio", "seconds"): ((_only(_SOUND),), _set("modalities", "x", "seconds", value=0.05)),
    ("audio", "mels"): ((_only(_SOUND),), _set("modalities", "x", "mels", value=5)),
    ("image2d", "window"): ((_only(_IMAGES),), _set("modalities", "x", "window", value=[0, 4])),
    ("volume3d", "kind"): ((_only({"kind": "volume3d", "file": "cubes.npy"}),), _set("modalities", "x", "kind", value="image2d")),
    ("volume3d", "file"): ((_only(_VOLUMES),), _set("modalities", "x", "file", value="later_volumes.csv")),
    ("volume3d", "key"): (
        (_only({"kind": "volume3d", "file": "series.npz", "key": "cubes"}),),
        _set("modalities", "x", "key", value="later"),
    ),
    ("volume3d", "axes"): ((_only({"kind": "volume3d", "file": "films.npy"}),), _set("modalities", "x", "axes", value="NDHWC")),
    ("volume3d", "column"): ((_only(_VOLUMES),), _set("modalities", "x", "column", value="other")),
    ("volume3d", "root"): ((_only(_VOLUMES),), _set("modalities", "x", "root", value="later")),
    ("volume3d", "size"): ((_only(_VOLUMES),), _set("modalities", "x", "size", value=[3, 4, 5])),
    ("volume3d", "spacing"): ((_only(_VOLUMES),), _set("modalities", "x", "spacing", value=[2, 2, 2])),
    ("volume3d", "window"): ((_only(_VOLUMES),), _set("modalities", "x", "window", value=[0, 20])),
    ("volume3d", "channels"): ((_only(_VOLUMES),), _set("modalities", "x", "channels", value=1)),
    ("video", "kind"): ((_only({"kind": "video", "file": "cubes.npy"}),), _set("modalities", "x", "kind", value="image2d")),
    ("video", "file"): ((_only(_FILMS),), _set("modalities", "x", "file", value="later_films.csv")),
    ("video", "key"): ((_only({"kind": "video", "file": "series.npz", "key": "cubes"}),), _set("modalities", "x", "key", value="later")),
    ("video", "axes"): ((_only({"kind": "video", "file": "films.npy"}),), _set("modalities", "x", "axes", value="NTHWC")),
    ("video", "column"): ((_only(_FILMS),), _set("modalities", "x", "column", value="other")),
    ("video", "root"): ((_only(_FILMS),), _set("modalities", "x", "root", value="later")),
    ("video", "frames"): ((_only(_FILMS),), _set("modalities", "x", "frames", value=2)),
    ("video", "size"): ((_only(_FILMS),), _set("modalities", "x", "size", value=[3, 5])),
    ("video", "channels"): ((_only(_FILMS),), _set("modalities", "x", "channels", value=3)),
    ("video", "window"): ((_only(_FILMS),), _set("modalities", "x", "window", value=[0, 20])),
    ("graph", "kind"): ((_only({"kind": "graph", "file": "images.csv", "column": "path", "edges": "bones.csv"}),), _only(_IMAGES)),
    ("graph", "file"): ((_only(_GRAPHS),), _set("modalities", "x", "file", value="later_graphs.csv")),
    ("graph", "key"): ((_only(_JOINTS),), _set("modalities", "x", "key", value="two")),
    ("graph", "axes"): ((_only(_JOINTS),), _set("modalities", "x", "axes", value="NFV")),
    ("graph", "column"): ((_only(_GRAPHS),), _set("modalities", "x", "column", value="other")),
    ("graph", "root"): ((_only(_GRAPHS),), _set("modalities", "x", "root", value="later")),
    ("graph", "edges"): ((_only(_JOINTS),), _set("modalities", "x", "edges", value="later_bones.csv")),
    ("graph", "edges_sheet"): (
        (_only({**_JOINTS, "edges": "bones.xlsx", "edges_sheet": "now"}),),
        _set("modalities", "x", "edges_sheet", value="later"),
    ),
    ("graph", "directed"): ((_only(_JOINTS),), _set("modalities", "x", "directed", value=True)),
    ("graph", "node"): ((_only(_CELLS),), _set("modalities", "x", "node", value="other")),
    ("graph", "features"): ((_only(_CELLS),), _set("modalities", "x", "features", value=["stain"])),
    ("graph", "nodes"): ((_only(_GRAPHS),), _set("modalities", "x", "nodes", value=9)),
    **{
        (kind, "sheet"): ((_only({"kind": kind, "sheet": "now", **keys}),), _set("modalities", "x", "sheet", value="later"))
        for kind, keys in _SHEETS.items()
    },
    **{
        (kind, "sheet"): (
            (_set("task", value={"kind": kind, "file": "labels.xlsx", "sheet": "now", **keys}),),
            _set("task", "sheet", value="later"),
        )
        for kind, keys in _SHEET_TASKS.items()
    },
    ("splits", "column"): ((), _splits(column="other_split")),
    ("splits", "fractions"): ((_splits(fractions=[0.7, 0.15, 0.15]),), _set("splits", "fractions", value=[0.5, 0.25, 0.25])),
    ("splits", "folds"): ((_splits(folds=3),), _set("splits", "folds", value=4)),
    ("splits", "test"): ((_splits(fractions=[0.8, 0.2]),), _set("splits", "test", value="cohort.yaml")),
    ("splits", "seed"): ((_splits(fractions=[0.7, 0.15, 0.15]),), _set("splits", "seed", value=1)),
    ("splits", "group"): ((_splits(fractions=[0.7, 0.15, 0.15]),), _set("splits", "group", value="hospital")),
}


def parts() -> Iterator[tuple[str, Any]]:
    yield "manifest", manifest_model()
    yield from ((name, task_model(TASKS[name])) for name in TASKS)
    yield from ((kind.name, kind_model(kind)) for kind in KINDS.values() if kind.loadable)
    yield "splits", Splits


def test_the_table_is_complete() -> None:
    assert set(KEYS) == {(name, key) for name, model in parts() for key in model.model_fields}


def outcome(study: Any, *changes: Callable[[dict[str, Any]], None]) -> tuple[object, ...]:
    """What is loaded, or why it is not."""
    document = copy.deepcopy(study.document)
    for change in changes:
        change(document)
    path = study.folder / f"{document['name']}.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    try:
        data = load_data(path)
    except DataError as error:
        return error.faults
    return data.name, data.task, data.fingerprint, [fold.val.tolist() for fold in data.folds()]


@pytest.fixture
def study(study: Any) -> Any:
    """The study, and beside each of its files another one that a key may name."""
    rng, folder, rows = np.random.default_rng(1), study.folder, len(study.labels)
    study.labels["grade"] = np.arange(rows) % 3
    study.labels["died"], study.labels["treated"] = np.arange(rows) % 2, np.arange(rows) // 2 % 2
    study.labels["other_split"] = ["val"] * 10 + ["train"] * 40 + ["test"] * 10
    study.labels["mask"], study.labels["other_mask"] = ([f"{(row + shift) % 3}.npy" for row in range(rows)] for shift in (0, 1))
    study.write()
    moved = {column: np.roll(study.labels[column], 1) for column in ("vital", "months", "died", "mask")}
    study.labels.assign(**moved).to_csv(folder / "later.csv")
    write_book(folder / "labels.xlsx", now=study.labels, later=study.labels.assign(**moved))
    study.clinical[["patient", "age", "stage_t"]].to_csv(folder / "clinical_numbers.csv", index=False)
    ids = study.labels["patient"].to_numpy(dtype=np.str_)
    np.savez(folder / "later.npz", x=study.ecg + 1, patient=ids)
    np.save(folder / "flat.npy", rng.normal(size=(rows, 4)))
    np.save(folder / "cubes.npy", rng.normal(size=(rows, 3, 4, 5)))
    (folder / "thousand.csv").write_text("patient;v\n" + "".join(f"{name};{1 + row % 7},{row:03d}\n" for row, name in enumerate(ids)))
    np.save(folder / "series.npy", rng.normal(size=(rows, 6, 5)))
    np.savez(folder / "tables.npz", one=rng.normal(size=(rows, 3)), two=rng.normal(size=(rows, 3)))
    cubes = rng.normal(size=(2, rows, 3, 4, 5))
    np.savez(folder / "series.npz", one=rng.normal(size=(rows, 6, 5)), two=rng.normal(size=(rows, 6, 5)), cubes=cubes[0], later=cubes[1])
    np.save(folder / "films.npy", rng.normal(size=(rows, 2, 3, 4, 2)))
    (folder / "later").mkdir()
    for index in range(3):
        np.save(folder / f"{index}.npy", np.full((4, 4), index))
        np.save(folder / "later" / f"{index}.npy", np.full((4, 4), index + 10))
    names = np.array([f"{index % 3}.npy" for index in range(rows)])
    images = study.labels[["patient"]].assign(path=names, other=np.roll(names, 1))
    images.to_csv(folder / "images.csv", index=False)
    images.assign(path=np.roll(names, 2)).to_csv(folder / "later_images.csv", index=False)
    for place, shift in ((folder, 0), (folder / "later", 1)):
        for index in range(3):
            (place / f"{index}.txt").write_text(f"word{index + shift} of three", encoding="utf-8")
            wavfile.write(place / f"{index}.wav", 1000, (1000 * np.sin(np.arange(120) * (index + shift + 1))).astype(np.int16))
            write_edf(place / f"{index}.edf", {"ECG": (np.sin(np.arange(20) * (index + shift + 1)), 10)})
    steps = [
        {"patient": name, "t": step, "backwards": -step, "pulse": row % 7 + step, "pressure": row % 5}
        for row, name in enumerate(ids)
        for step in range(3)
    ]
    long = pd.DataFrame(steps)
    long.to_csv(folder / "long.csv", index=False)
    write_book(folder / "steps.xlsx", now=long, later=long.assign(pulse=long["pulse"] + 1))
    kinds = np.arange(rows) % 3
    written = study.labels[["patient"]].assign(
        note=[f"one two three {index} {index}" for index in kinds],
        dna=["ACGTC"[: 3 + index] for index in kinds],
        other="ACGT",
        path=[f"{index}.txt" for index in kinds],
        sound=[f"{index}.wav" for index in kinds],
        recording=[f"{index}.edf" for index in kinds],
        other_recording=[f"{index}.edf" for index in np.roll(kinds, 1)],
        other_sound=[f"{index}.wav" for index in np.roll(kinds, 1)],
    )
    written.to_csv(folder / "written.csv", index=False)
    written.assign(**{name: np.roll(written[name], 1) for name in ("note", "dna", "sound")}).to_csv(
        folder / "later_written.csv", index=False
    )
    for index in range(3):
        nibabel.save(nibabel.Nifti1Image(rng.normal(index, 20, (4, 4, 4, 2)), np.eye(4)), folder / f"{index}.nii")
        nibabel.save(nibabel.Nifti1Image(rng.normal(index, 20, (4, 4, 4, 2)), np.eye(4)), folder / "later" / f"{index}.nii")
    names = np.array([f"{index % 3}.nii" for index in range(rows)])
    volumes = study.labels[["patient"]].assign(path=names, other=np.roll(names, 1))
    volumes.to_csv(folder / "volumes.csv", index=False)
    volumes.assign(path=np.roll(names, 2)).to_csv(folder / "later_volumes.csv", index=False)
    for index in range(3):
        np.save(folder / f"film{index}.npy", rng.normal(index, 5, (2 + index, 4, 4)))
        np.save(folder / "later" / f"film{index}.npy", rng.normal(index, 5, (2 + index, 4, 4)))
    names = np.array([f"film{index % 3}.npy" for index in range(rows)])
    films = study.labels[["patient"]].assign(path=names, other=np.roll(names, 1))
    films.to_csv(folder / "films.csv", index=False)
    films.assign(path=np.roll(names, 2)).to_csv(folder / "later_films.csv", index=False)
    for index in range(3):
        for place, shift in ((folder, 0), (folder / "later", 1)):
            np.savez(place / f"graph{index}.npz", features=rng.normal(index + shift, 5, (3 + index, 2)), edges=[(0, 1), (1, 2)])
    names = np.array([f"graph{index % 3}.npz" for index in range(rows)])
    graphs = study.labels[["patient"]].assign(path=names, other=np.roll(names, 1))
    graphs.to_csv(folder / "graphs.csv", index=False)
    graphs.assign(path=np.roll(names, 2)).to_csv(folder / "later_graphs.csv", index=False)
    cells = [(name, cell, 1 - cell, *rng.normal(size=2)) for name in ids for cell in (0, 1)]
    pd.DataFrame(cells, columns=["patient", "cell", "other", "area", "stain"]).to_csv(folder / "cells.csv", index=False)
    pd.DataFrame([(name, 0, 0, 2) for name in ids], columns=["patient", "source", "target", "weight"]).to_csv(
        folder / "contacts.csv", index=False
    )
    (folder / "bones.csv").write_text("source,target\n0,1\n1,2\n")
    (folder / "later_bones.csv").write_text("source,target\n0,1\n")
    write_book(folder / "bones.xlsx", now=pd.DataFrame({"source": [0], "target": [1]}), later=pd.DataFrame({"source": [1], "target": [2]}))
    save_file({"weight": np.ones(3, np.float32)}, folder / "start.safetensors")
    book = written.assign(
        number=np.arange(rows) % 9,
        image=[f"{index}.npy" for index in kinds],
        volume=[f"{index}.nii" for index in kinds],
        film=films["path"],
        graph=names,
    )
    rolled = {name: np.roll(book[name], 1) for name in ("number", "image", "volume", "film", "graph", "sound", "note", "dna")}
    write_book(folder / "book.xlsx", now=book, later=book.assign(**rolled))
    (folder / "cohort.yaml").write_text(yaml.safe_dump({**study.document, "name": "cohort"}), encoding="utf-8")
    return study


@pytest.mark.parametrize(("part", "key"), KEYS, ids=lambda value: value)
def test_a_key_changes_what_is_loaded(part: str, key: str, study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before, change = KEYS[part, key]
    monkeypatch.setenv(FOLDER, str(study.folder / "cache"))
    if key in ("layers", "pooling"):
        write_bert(study.folder / "bert")
    assert outcome(study, *before) != outcome(study, *before, change)
