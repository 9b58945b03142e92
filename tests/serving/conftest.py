"""Small bundles by hand: the program of every bundle, whose model answers by two columns of a table, or by sums of what files hold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info

from fusearch.data.files.checksums import write_checksums
from fusearch.evaluators.export.carried import write_program

TABLE = {"option": "--labs", "kind": "tabular", "shape": [3], "key": "labs", "numeric": ["a", "b,c"], "categorical": {"sex": ["f", "m"]}}
ARRAY = {"option": "--scan", "kind": "image2d", "shape": [1, 2, 2], "key": "scan"}

#: Modalities whose samples are files, one each.
FILES = {
    "cxr": {"option": "--cxr", "kind": "image2d", "shape": [1, 2, 2], "key": "cxr", "reader": "images", "channels": 1, "size": [2, 2]},
    "ct": {"option": "--ct", "kind": "volume3d", "shape": [1, 2, 2, 2], "key": "ct", "reader": "volumes"},
    "cough": {"option": "--cough", "kind": "audio", "shape": [8, 8], "key": "cough", "reader": "sounds"},
}
FILES["cough"] |= {"rate": 8000, "seconds": 0.1, "mels": 8}


def write_bundle(folder: Path, **changed: object) -> Path:
    """Write a bundle whose model says the softmax of the two numeric columns, a missing one as 0."""
    folder.mkdir()
    spec = {
        "id": "patient",
        "missing": ["", "NA"],
        "decimal": ".",
        "unused": {},
        "outputs": ["no", "yes"],
        "decision": {"weights": [1.0, 1.0], "threshold": 0.5, "fitted_for": None},
        "tasks": [],
        "modalities": {"labs": TABLE, "scan": ARRAY},
        **changed,
    }
    (folder / "inputs.json").write_text(json.dumps(spec), encoding="utf-8")
    (folder / "design.json").write_text(json.dumps({"formula": "cat", "digest": "abc"}), encoding="utf-8")
    constants = (("starts", [0]), ("ends", [2]), ("axes", [1]))
    graph = make_graph(
        [
            make_node("IsNaN", ["raw.labs"], ["lacks"]),
            make_node("Where", ["lacks", "zero", "raw.labs"], ["filled"]),
            make_node("Slice", ["filled", "starts", "ends", "axes"], ["two"]),
            make_node("Softmax", ["two"], ["out"], axis=1),
        ],
        "two_columns",
        [
            make_tensor_value_info("raw.labs", onnx.TensorProto.FLOAT, ["n", 3]),
            make_tensor_value_info("raw.scan", onnx.TensorProto.FLOAT, ["n", 1, 2, 2]),
        ],
        [make_tensor_value_info("out", onnx.TensorProto.FLOAT, ["n", 2])],
        [
            onnx.numpy_helper.from_array(np.array(0, np.float32), "zero"),
            *(onnx.numpy_helper.from_array(np.array(value), name) for name, value in constants),
        ],
    )
    onnx.save(make_model(graph, opset_imports=[make_opsetid("", 17)], ir_version=8), folder / "model.onnx")
    write_program(folder)
    write_checksums(folder)
    return folder


def write_file_bundle(folder: Path) -> Path:
    """Write a bundle whose modalities are files, and whose model says the softmax of the sums of each, a missing one as 0."""
    modalities = {name: {**entry, "column": name, "root": "../scans"} for name, entry in FILES.items()}
    write_bundle(folder, modalities=modalities, outputs=list(FILES), decision=None)
    float32, named = onnx.TensorProto.FLOAT, list(FILES)
    nodes = [
        node
        for name in named
        for node in (
            make_node("IsNaN", [f"raw.{name}"], [f"lacks.{name}"]),
            make_node("Where", [f"lacks.{name}", "zero", f"raw.{name}"], [f"filled.{name}"]),
            make_node("Flatten", [f"filled.{name}"], [f"flat.{name}"]),
            make_node("ReduceSum", [f"flat.{name}", "one"], [f"sum.{name}"]),
        )
    ]
    graph = make_graph(
        [*nodes, make_node("Concat", [f"sum.{name}" for name in named], ["sums"], axis=1), make_node("Softmax", ["sums"], ["out"], axis=1)],
        "sums",
        [make_tensor_value_info(f"raw.{name}", float32, ["n", *FILES[name]["shape"]]) for name in named],
        [make_tensor_value_info("out", float32, ["n", len(named)])],
        [onnx.numpy_helper.from_array(np.array(0, np.float32), "zero"), onnx.numpy_helper.from_array(np.array([1]), "one")],
    )
    onnx.save(make_model(graph, opset_imports=[make_opsetid("", 17)], ir_version=8), folder / "model.onnx")
    write_checksums(folder)
    return folder


@pytest.fixture(scope="session")
def file_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_file_bundle(tmp_path_factory.mktemp("served") / "files")


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("served") / "bundle")
