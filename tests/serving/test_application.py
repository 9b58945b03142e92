"""The application of a bundle: predictions, refusals, and no answer that is a defect."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("fastapi", reason="needs fusearch[serve]")
pytest.importorskip("httpx", reason="needs httpx")

from fastapi.testclient import TestClient

from fusearch.serving.application import make_app
from fusearch.serving.served_bundle import ServedBundle

ROW = {"a": 1.5, "b,c": 0.5, "sex": "f"}
FEW = settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def app(small_bundle: Path) -> Any:
    return make_app(ServedBundle(small_bundle), max_batch=3, max_bytes=2000)


@pytest.fixture(scope="module")
def client(app: Any) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)


def test_a_batch_is_predicted(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "digest": "abc", "outputs": ["no", "yes"]}
    body = {"samples": [{"id": "p1", "values": {"labs": ROW}}, {"values": {"scan": [[[1, 2], [3, 4]]]}}]}
    answer = client.post("/predict", json=body)
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["predictions"]
    assert (first["id"], first["outputs"]["predicted"], second["id"]) == ("p1", "no", None)
    assert second["outputs"]["no"] == 0.5


def test_what_is_refused_says_why(client: TestClient) -> None:
    post = client.post
    assert post("/predict", json={"samples": [{"values": {"labs": ROW}}] * 4}).json() == {
        "error": "samples: expected a list of 1 to 3 samples"
    }
    large = post("/predict", content=b" " * 2001, headers={"content-type": "application/json"})
    assert (large.status_code, "more than 2000 bytes" in large.json()["error"]) == (413, True)
    stream = (b" " * 500 for _ in range(9))
    assert post("/predict", content=stream, headers={"content-type": "application/json"}).status_code == 413
    assert post("/predict", content=b"a=1", headers={"content-type": "text/plain"}).status_code == 415
    assert client.get("/../../etc/passwd").status_code == 404


def test_the_document_names_inputs_and_limits(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schema = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["samples"]["maxItems"] == 3
    assert set(schema["properties"]["samples"]["items"]["properties"]["values"]["properties"]) == {"labs", "scan"}


@pytest.fixture(scope="module")
def file_app(file_bundle: Path) -> Any:
    return make_app(ServedBundle(file_bundle), max_batch=2, max_bytes=4000)


CUT = {
    ".zip": b"PK\3\4\x14\0\0\0\0\0",
    ".png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    ".npy": b"\x93NUMPY\x01\0",
    ".nii": b"\x5c\x01\0\0",
    ".wav": b"RIFF\x24\0\0\0WAVEfmt ",
}


@FEW
@given(name=st.sampled_from(["cxr", "ct", "cough"]), suffix=st.sampled_from(sorted(CUT)), rest=st.binary(max_size=400), cut=st.booleans())
def test_no_file_is_a_defect(name: str, suffix: str, rest: bytes, cut: bool, file_app: Any) -> None:
    content = base64.b64encode(CUT[suffix] * cut + rest).decode()
    body = {"samples": [{"values": {name: {"suffix": suffix, "base64": content}}}]}
    answer = TestClient(file_app, raise_server_exceptions=False).post("/predict", json=body)
    assert answer.status_code in (200, 422), answer.text


TREES = st.recursive(st.none() | st.floats() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each))


@FEW
@given(body=st.binary(max_size=200) | TREES.map(lambda each: json.dumps(each).encode()))
def test_no_body_is_a_defect(body: bytes, client: TestClient) -> None:
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (413, 422)


@pytest.mark.parametrize(("name", "statuses"), [("app", {200, 422}), ("file_app", {422})])
def test_fuzzed_by_the_document(name: str, statuses: set[int], request: pytest.FixtureRequest) -> None:
    app = request.getfixturevalue(name)
    schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis")
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    modes = schemathesis.GenerationMode
    seen = set()
    for operation in schema.get_all_operations():
        for mode in modes.POSITIVE, modes.NEGATIVE:
            if operation.ok().path == "/health" and (mode is modes.NEGATIVE or name == "file_app"):
                continue

            @FEW
            @given(case=operation.ok().as_strategy(generation_mode=mode))
            def call(case: Any) -> None:
                answer = case.call()
                seen.add(answer.status_code)
                assert answer.status_code < 500, (answer.status_code, case.body)

            call()
    assert statuses <= seen
