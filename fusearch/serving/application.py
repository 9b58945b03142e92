"""The web application of a bundle: health, and predictions of a batch of samples."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from fusearch.errors import DataError
from fusearch.serving.request_samples import read_samples, samples_schema
from fusearch.serving.served_bundle import ServedBundle

__all__ = ["make_app"]


class _BodyTooLarge(Exception):  # noqa: N818  # it never leaves the module
    """A body is longer than is read."""


def make_app(bundle: ServedBundle, *, max_batch: int = 256, max_bytes: int = 8_000_000, max_unpacked: int = 100_000_000) -> FastAPI:
    """Return the application of a bundle: `GET /health`, `POST /predict`, and its OpenAPI document at `/openapi.json`.

    Args:
        bundle: The bundle.
        max_batch: Most samples of a request; more are refused (422).
        max_bytes: Most bytes of a body; no more are read (413).
        max_unpacked: Most bytes of the files in the zipped folders of a request; more are refused before they are unpacked (422).
    """
    formula = bundle.design.get("formula", "")
    app = FastAPI(
        title="fusearch bundle", description=f"Predictions of the design {formula!r}.", version=str(bundle.design.get("digest", ""))
    )
    error = {
        "description": "Refused, with what is wrong and where.",
        "content": {"application/json": {"schema": {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}}},
    }
    responses: dict[int | str, dict[str, Any]] = {413: error, 415: error, 422: error}
    schema = samples_schema(bundle.spec, bundle.forms, max_batch)
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    said = {
        "type": "object",
        "properties": {"id": {"type": ["string", "null"]}, "outputs": {"type": "object"}},
        "required": ["id", "outputs"],
    }
    found = {"type": "object", "properties": {"predictions": {"type": "array", "items": said}}, "required": ["predictions"]}
    responses[200] = {"description": "A prediction a sample, in their order.", "content": {"application/json": {"schema": found}}}

    @app.get("/health")
    def health() -> dict[str, Any]:
        """Tell that the model is loaded, and which it is."""
        return {"status": "ok", "digest": bundle.design.get("digest"), "outputs": bundle.spec["outputs"]}

    @app.post("/predict", responses=responses, openapi_extra={"requestBody": body}, response_class=JSONResponse)
    async def predict(request: Request) -> Response:
        """Predict a batch of samples."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return _refusal(415, f"content-type is {kind[:100]!a}, expected application/json")
        try:
            content = await _whole_body(request, max_bytes)
            return JSONResponse({"predictions": await run_in_threadpool(_predictions, bundle, content, max_batch, max_unpacked)})
        except _BodyTooLarge:
            return _refusal(413, f"the body has more than {max_bytes} bytes, expected a smaller batch")
        except DataError as refused:
            return _refusal(422, str(refused))

    return app


def _predictions(bundle: ServedBundle, content: bytes, max_batch: int, max_unpacked: int) -> list[dict[str, Any]]:
    ids, samples = read_samples(content, bundle.spec, bundle.forms, max_batch, max_unpacked)
    return [{"id": name, "outputs": said} for name, said in zip(ids, bundle.predict(samples), strict=True)]


async def _whole_body(request: Request, max_bytes: int) -> bytes:
    """Return the body; reading stops as soon as it is too long, whatever its header says."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > max_bytes:
            raise _BodyTooLarge
        parts.append(part)
    return b"".join(parts)


def _refusal(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status_code=status)
