"""A bundle reads values that come one by one as it reads files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fusearch.data.files.checksums import write_checksums
from fusearch.errors import DataError, ExportError
from fusearch.serving.served_bundle import ServedBundle, form_of


@pytest.fixture(scope="module")
def served(small_bundle: Path) -> ServedBundle:
    return ServedBundle(small_bundle)


def changed(bundle: Path, folder: Path, **changes: object) -> Path:
    """Return a copy of a bundle that says other things, with checksums that say so too."""
    shutil.copytree(bundle, folder)
    spec = json.loads((folder / "inputs.json").read_text(encoding="utf-8"))
    (folder / "inputs.json").write_text(json.dumps({**spec, **changes}), encoding="utf-8")
    write_checksums(folder)
    return folder


def test_each_sample_is_predicted_in_its_place_and_may_lack_a_modality(served: ServedBundle) -> None:
    scan = [[[0.0, 1.0], [2.0, None]]]
    samples = [{"labs": {"a": 1.5, "b,c": 0.5, "sex": "m"}}, {"scan": scan}, {"labs": {"a": None, "b,c": 2.0, "sex": None}, "scan": scan}]
    said = served.predict(samples)
    assert [each["predicted"] for each in said] == ["no", "no", "yes"]
    expected = [np.exp(each) / np.exp(each).sum() for each in ([1.5, 0.5], [0.0, 0.0], [0.0, 2.0])]
    np.testing.assert_allclose([[each["no"], each["yes"]] for each in said], expected, rtol=1e-6)


def test_numbers_of_a_study_with_decimal_commas(small_bundle: Path, tmp_path: Path) -> None:
    other = ServedBundle(changed(small_bundle, tmp_path / "comma", decimal=","))
    [said] = other.predict([{"labs": {"a": 1.25, "b,c": -0.5, "sex": "f"}}])
    assert said["no"] == pytest.approx(1 / (1 + np.exp(-1.75)), rel=1e-6)


def test_a_bundle_that_was_changed_is_refused_and_so_is_none(small_bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(small_bundle, tmp_path / "bundle")
    (tmp_path / "bundle" / "files" / "ids.py").write_text("", encoding="utf-8")
    with pytest.raises(ExportError, match=r"files/ids.py: the file was changed after the export"):
        ServedBundle(tmp_path / "bundle")
    with pytest.raises(ExportError, match=r"no bundle in .*: expected 'predict.py' and 'model.onnx' there"):
        ServedBundle(tmp_path)


def test_what_cannot_come_as_json_is_refused_at_the_start(small_bundle: Path, tmp_path: Path) -> None:
    graph = {"option": "--g", "kind": "graph", "shape": [3, 4], "key": "g", "edges": [[0, 1]], "directed": False}
    with pytest.raises(ExportError, match=r"modality 'g' \(graph\) is read from files, not JSON: run its predict.py"):
        ServedBundle(changed(small_bundle, tmp_path / "graph", modalities={"g": graph}))
    with pytest.raises(ExportError, match=r"predicts masks, which are files"):
        ServedBundle(changed(small_bundle, tmp_path / "masks", masks={"classes": []}))


def test_the_form_of_a_modality() -> None:
    assert form_of({"column": "note", "symbols": ["a"], "kind": "text"}) == "text"
    assert form_of({"column": "note", "root": ".", "symbols": ["a"], "kind": "text"}) is None
    assert form_of({"rate": 100, "column": "path"}) is None
    assert form_of({"column": "image_path", "root": "images", "kind": "image2d"}) == "array"


def test_a_number_that_is_too_large_for_the_model_is_no_answer(served: ServedBundle) -> None:
    with pytest.raises(DataError, match=r"samples.1: the model has no finite number|labs: "):
        served.predict([{"labs": {"a": 0.0, "b,c": 0.0, "sex": "f"}}, {"labs": {"a": float("inf"), "b,c": 0.0, "sex": "f"}}])
