"""A bundle reads values that come one by one as it reads files."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile
from volume_files import write_nifti, write_series

from fusearch.data.files.checksums import write_checksums
from fusearch.errors import DataError, ExportError
from fusearch.serving.forms import Upload
from fusearch.serving.served_bundle import ServedBundle


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


def test_what_cannot_come_in_a_request_is_refused_at_the_start(small_bundle: Path, tmp_path: Path) -> None:
    graph = {"option": "--g", "kind": "graph", "shape": [3, 4], "key": "g", "edges": [[0, 1]], "directed": False}
    with pytest.raises(ExportError, match=r"modality 'g' \(graph\) is read from tables that no request can hold: run its predict.py"):
        ServedBundle(changed(small_bundle, tmp_path / "graph", modalities={"g": graph}))
    with pytest.raises(ExportError, match=r"predicts masks, which are files"):
        ServedBundle(changed(small_bundle, tmp_path / "masks", masks={"classes": []}))


def png(pixels: object) -> Upload:
    content = io.BytesIO()
    Image.fromarray(np.array(pixels, np.uint8)).save(content, "png")
    return Upload(".png", content.getvalue())


def test_files_are_read_as_the_program_reads_those_that_a_table_names(file_bundle: Path, tmp_path: Path) -> None:
    bundle = ServedBundle(file_bundle)
    assert set(bundle.forms.values()) == {"array", "file"}
    volume = np.arange(8, dtype=np.float32).reshape(2, 2, 2) / 8
    write_nifti(tmp_path / "v.nii.gz", volume)
    wavfile.write(tmp_path / "s.wav", 8000, np.sin(np.arange(800)).astype(np.float32))
    write_series(tmp_path / "series", volume * 8)
    series = Upload(".zip", {file.name: file.read_bytes() for file in (tmp_path / "series").iterdir()})
    ct, cough = Upload(".nii.gz", (tmp_path / "v.nii.gz").read_bytes()), Upload(".wav", (tmp_path / "s.wav").read_bytes())
    pixels = [[0, 1], [1, 1]]
    samples = [
        {"ct": ct},
        {"cxr": [[[0.0, 1.0], [1.0, 1.0]]]},
        {"cxr": png(pixels), "ct": ct},
        {"cxr": png(pixels)},
        {"cough": cough},
        {"ct": series},
    ]
    said = [list(each.values()) for each in bundle.predict(samples)]
    sums = [(0.0, 3.5, 0.0), (3.0, 0.0, 0.0), (3.0, 3.5, 0.0), (3.0, 0.0, 0.0)]
    expected = [np.exp(each) / np.exp(each).sum() for each in sums]
    np.testing.assert_allclose(said[:4], expected, rtol=1e-5)
    assert said[4][2] != pytest.approx(1 / 3)
    assert said[5][1] == pytest.approx(1, abs=1e-6), "the sum of its slices, 28"
    with pytest.raises(DataError, match=r"ct: .*none of its 1 files is DICOM, expected the slices of a DICOM series"):
        bundle.predict([{"ct": Upload(".zip", {"a.txt": b"x"})}])


def test_a_file_that_is_not_what_it_says_is_refused_with_its_sample(file_bundle: Path) -> None:
    with pytest.raises(DataError, match=r"cxr: .*samples\.1\.png: ") as refused:
        ServedBundle(file_bundle).predict([{"cxr": png([[0, 1], [1, 1]])}, {"cxr": Upload(".png", b"no picture")}])
    assert "fusearch-serve" not in str(refused.value), "no path of the server is told"


def test_a_number_that_is_too_large_for_the_model_is_no_answer(served: ServedBundle) -> None:
    with pytest.raises(DataError, match=r"samples.1: the model has no finite number|labs: "):
        served.predict([{"labs": {"a": 0.0, "b,c": 0.0, "sex": "f"}}, {"labs": {"a": float("inf"), "b,c": 0.0, "sex": "f"}}])
