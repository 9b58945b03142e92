"""Samples as JSON: what is refused says where."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path

import pytest

from fusearch.errors import DataError
from fusearch.serving.forms import Upload, form_of
from fusearch.serving.request_samples import read_samples, samples_schema

ROW = {"a": 1, "b,c": 2.5, "sex": "f"}


@pytest.fixture(scope="module")
def spec(small_bundle: Path) -> dict:
    return json.loads((small_bundle / "inputs.json").read_text(encoding="utf-8"))


def read(spec: dict, body: object) -> tuple:
    forms = {name: form_of(modality) for name, modality in spec["modalities"].items()}
    return read_samples(body if isinstance(body, bytes) else json.dumps(body).encode(), spec, forms, 2, 1000)


def of(values: object, **others: object) -> dict:
    return {"samples": [{"values": values, **others}]}


def test_ids_come_back(spec: dict) -> None:
    ids, samples = read(
        spec, {"samples": [{"id": "001", "values": {"labs": ROW}}, {"values": {"labs": None, "scan": [[[1, 2], [3, None]]]}}]}
    )
    assert ids == ["001", None]
    assert samples[0] == {"labs": ROW}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body is no JSON"),
        (b"\xff", "the body is no JSON"),
        (b"[" * 100_000, "the body is no JSON"),
        (b'{"samples": [{"values": {"labs": {"a": NaN}}}]}', "NaN is no number of JSON, expected null"),
        ([], "the body: expected an object"),
        ({"sample": []}, "did you mean 'samples'"),
        ({"samples": []}, "samples: expected a list of 1 to 2 samples"),
        ({"samples": [of({})] * 3}, "samples: expected a list of 1 to 2 samples"),
        (of({}), "samples.0.values: expected at least one of labs, scan"),
        (of({"lab": ROW}), "samples.0.values: no 'lab': did you mean 'labs'"),
        (of({"labs": {**ROW, "d": 1}}), "samples.0.values.labs: no 'd'"),
        (of({"labs": {"a": 1, "sex": "f"}}), "samples.0.values.labs: 'b,c' is absent"),
        (of({"labs": {**ROW, "a": "1"}}), "samples.0.values.labs.a: expected a number"),
        (of({"labs": {**ROW, "a": True}}), "samples.0.values.labs.a: expected a number"),
        (of({"labs": {**ROW, "a": 10**400}}), "samples.0.values.labs.a: expected a number"),
        (of({"labs": {**ROW, "sex": "f\n"}}), "samples.0.values.labs.sex: expected a string of at most 200 characters"),
        (of({"labs": {**ROW, "sex": "\ud800"}}), "samples.0.values.labs.sex: expected a string"),
        (of({"scan": [[[1, 2]]]}), "samples.0.values.scan.0: expected a list of 2"),
        (of({"labs": ROW}, id=7), "samples.0.id: expected a string"),
    ],
)
def test_what_does_not_keep_the_schema_is_refused_with_its_place(body: object, message: str, spec: dict) -> None:
    with pytest.raises(DataError) as refused:
        read(spec, body)
    assert message in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.fixture(scope="module")
def files(file_bundle: Path) -> dict:
    return json.loads((file_bundle / "inputs.json").read_text(encoding="utf-8"))


def test_a_file_comes_as_its_bytes_beside_numbers(files: dict) -> None:
    _, samples = read(files, of({"cxr": {"suffix": ".png", "base64": "iVBO"}, "ct": None}))
    assert samples == [{"cxr": Upload(".png", b"\x89PN"), "ct": None}]
    slices = io.BytesIO()
    with zipfile.ZipFile(slices, "w") as archive:
        archive.writestr("series/1.dcm", b"x")
    _, samples = read(files, of({"ct": {"suffix": ".zip", "base64": base64.b64encode(slices.getvalue()).decode()}}))
    assert samples == [{"ct": Upload(".zip", {"1.dcm": b"x"})}]
    _, samples = read(files, of({"cxr": [[[1, 2], [3, 4]]]}))
    assert samples == [{"cxr": [[[1, 2], [3, 4]]]}]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"suffix": ".exe", "base64": "iVBO"}, "samples.0.values.cough.suffix: expected one of: .wav, .flac"),
        ({"suffix": ["a"], "base64": "iVBO"}, "samples.0.values.cough.suffix: expected one of"),
        ({"suffix": "/../a.wav", "base64": "iVBO"}, "samples.0.values.cough.suffix: expected one of"),
        ({"suffix": ".wav", "base64": "a b"}, "samples.0.values.cough.base64: expected the bytes of a file as base64"),
        ({"suffix": ".wav", "base64": "\u00fc"}, "samples.0.values.cough.base64: expected the bytes"),
        ({"suffix": ".wav", "base64": ""}, "samples.0.values.cough.base64: expected the bytes"),
        ({"suffix": ".wav", "base64": 7}, "samples.0.values.cough.base64: expected the bytes"),
        ({"suffix": ".wav"}, "samples.0.values.cough: 'base64' is absent"),
        ({"path": "/etc/passwd"}, "samples.0.values.cough: no 'path'"),
        ([[1.0]], "samples.0.values.cough: expected an object"),
        ({"suffix": ".zip", "base64": "iVBO"}, "samples.0.values.cough.suffix: expected one of: .wav, .flac"),
    ],
)
def test_what_is_no_file_is_refused(value: object, message: str, files: dict) -> None:
    with pytest.raises(DataError) as refused:
        read(files, of({"cough": value}))
    assert message in str(refused.value)
    with pytest.raises(DataError, match=r"samples\.0\.values\.ct\.base64: cannot be unpacked"):
        read(files, of({"ct": {"suffix": ".zip", "base64": "iVBO"}}))


def test_the_schema_names_how_files_end(files: dict) -> None:
    schema = samples_schema(files, {name: form_of(each) for name, each in files["modalities"].items()}, 2)
    values = schema["properties"]["samples"]["items"]["properties"]["values"]["properties"]
    assert values["cough"]["properties"]["suffix"]["enum"] == [".wav", ".flac"]
    array, file = values["cxr"]["anyOf"]
    assert (array["minItems"], ".dcm" in file["properties"]["suffix"]["enum"]) == (1, True)
    assert values["ct"]["anyOf"][1]["properties"]["suffix"]["enum"][-1] == ".zip"
    assert (
        values["ct"]["anyOf"][1]["properties"]["base64"]["description"] == "the bytes of the file; of a folder, those of a zip of its files"
    )


def test_the_schema_has_names_shapes_and_limits(spec: dict) -> None:
    forms = {name: form_of(modality) for name, modality in spec["modalities"].items()}
    schema = samples_schema(spec, forms, 7)
    assert schema["properties"]["samples"]["maxItems"] == 7
    values = schema["properties"]["samples"]["items"]["properties"]["values"]["properties"]
    assert values["labs"]["required"] == ["a", "b,c", "sex"]
    assert values["scan"]["items"]["items"]["maxItems"] == 2
