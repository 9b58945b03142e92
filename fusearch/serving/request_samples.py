"""Samples as JSON: their schema, made from what a bundle reads, and the one way in which they are read."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from fusearch.errors import DataError, suggestion
from fusearch.serving.forms import Form, Upload, uploads_of
from fusearch.serving.zipped_folder import ZIP, Unpacker

__all__ = ["read_samples", "samples_schema"]

#: Largest number: beyond it float32 has none. Characters of an id, a level and a text; control characters are refused.
MOST, LONGEST_WORD, LONGEST_TEXT = 3e38, 200, 20_000
_WORD, _TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*"), re.compile(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]*")

_BASE64 = r"^[A-Za-z0-9+/]+={0,2}$"

_NUMBER = {"type": ["number", "null"], "minimum": -MOST, "maximum": MOST}
_LEVEL = {"type": ["string", "null"], "maxLength": LONGEST_WORD, "pattern": r"^[^\x00-\x1f\x7f-\x9f]*$"}


def samples_schema(spec: Mapping[str, Any], forms: Mapping[str, Form], max_batch: int) -> dict[str, Any]:
    """Return the JSON schema of a request: names, shapes and limits as `inputs.json` has them.

    Args:
        spec: `inputs.json` of the bundle.
        forms: How the values of each modality come.
        max_batch: Most samples of a request.
    """
    properties = {name: _schema_of(modality, forms[name]) for name, modality in spec["modalities"].items()}
    sample = {
        "type": "object",
        "properties": {"id": {**_LEVEL, "description": "comes back with the prediction"}, "values": {"type": "object"}},
        "required": ["values"],
        "additionalProperties": False,
    }
    sample["properties"]["values"] = {  # type: ignore[index]
        "type": "object",
        "description": "The values of each modality; one that is left out, or null, is missing.",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {
        "type": "object",
        "properties": {"samples": {"type": "array", "items": sample, "minItems": 1, "maxItems": max_batch}},
        "required": ["samples"],
        "additionalProperties": False,
    }


def _schema_of(modality: Mapping[str, Any], form: Form) -> dict[str, Any]:
    about, uploads = {"description": str(modality["kind"])}, uploads_of(modality)
    if form == "file":
        return {**about, **_file_schema(uploads)}
    if form == "text":
        return {**about, "type": ["string", "null"], "maxLength": LONGEST_TEXT, "pattern": r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"}
    if form == "table":
        columns: dict[str, Any] = dict.fromkeys(modality["numeric"], _NUMBER)
        columns |= {
            name: {**_LEVEL, "description": f"levels: {', '.join(levels[:20])}"} for name, levels in modality["categorical"].items()
        }
        return {
            **about,
            "type": ["object", "null"],
            "properties": columns,
            "required": list(columns),
            "additionalProperties": False,
        }
    schema: dict[str, Any] = dict(_NUMBER)
    for size in reversed(modality["shape"]):
        schema = {"type": "array", "items": schema, "minItems": size, "maxItems": size}
    array = {**schema, "type": ["array", "null"]}
    return {**about, "anyOf": [array, _file_schema(uploads)]} if uploads else {**about, **array}


def _file_schema(uploads: tuple[str, ...]) -> dict[str, Any]:
    content = {"type": "string", "contentEncoding": "base64", "pattern": _BASE64, "minLength": 4}
    about = f"the bytes of the file{'; of a folder, those of a zip of its files' * (ZIP in uploads)}"
    return {
        "type": ["object", "null"],
        "properties": {"suffix": {"type": "string", "enum": list(uploads)}, "base64": {**content, "description": about}},
        "required": ["suffix", "base64"],
        "additionalProperties": False,
    }


def read_samples(
    body: bytes, spec: Mapping[str, Any], forms: Mapping[str, Form], max_batch: int, max_unpacked: int
) -> tuple[list[str | None], list[dict[str, Any]]]:
    """Return the id and the values of each sample of a request.

    Args:
        body: The request.
        spec: `inputs.json` of the bundle.
        forms: How the values of each modality come.
        max_batch: Most samples.
        max_unpacked: Most bytes of all files in zipped folders, unpacked.

    Raises:
        DataError: The body is no JSON, or does not keep `samples_schema`; it says where.
    """
    try:
        request = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(f"the body is no JSON: {str(error)[:200]}") from None
    samples = _object(request, "the body", ("samples",))["samples"]
    if not isinstance(samples, list) or not 1 <= len(samples) <= max_batch:
        raise DataError(f"samples: expected a list of 1 to {max_batch} samples")
    ids, values, unpacker = [], [], Unpacker(max_unpacked)
    for row, sample in enumerate(samples):
        where = f"samples.{row}"
        sample = _object(sample, where, ("values",), ("id",))
        ids.append(_string(sample.get("id"), f"{where}.id", LONGEST_WORD, _WORD))
        given = _object(sample["values"], f"{where}.values", (), tuple(forms))
        read = {
            name: _values(value, f"{where}.values.{name}", spec["modalities"][name], forms[name], unpacker) for name, value in given.items()
        }
        if all(value is None for value in read.values()):
            raise DataError(f"{where}.values: expected at least one of {', '.join(forms)}")
        values.append(read)
    return ids, values


def _values(value: Any, where: str, modality: Mapping[str, Any], form: Form, unpacker: Unpacker) -> Any:
    if value is None:
        return None
    uploads = uploads_of(modality)
    if form == "file" or (uploads and isinstance(value, dict)):
        return _upload(value, where, uploads, unpacker)
    if form == "text":
        return _string(value, where, LONGEST_TEXT, _TEXT)
    if form == "array":
        _check_array(value, where, modality["shape"])
        return value
    row = _object(value, where, (*modality["numeric"], *modality["categorical"]))
    for name in modality["numeric"]:
        _check_number(row[name], f"{where}.{name}")
    for name in modality["categorical"]:
        _string(row[name], f"{where}.{name}", LONGEST_WORD, _WORD)
    return row


def _upload(value: Any, where: str, uploads: tuple[str, ...], unpacker: Unpacker) -> Upload:
    file = _object(value, where, ("suffix", "base64"))
    if file["suffix"] not in uploads:
        raise DataError(f"{where}.suffix: expected one of: {', '.join(uploads)}")
    try:
        content = base64.b64decode(file["base64"], validate=True)
    except (TypeError, ValueError):
        content = b""
    if not content:
        raise DataError(f"{where}.base64: expected the bytes of a file as base64")
    if file["suffix"] != ZIP:
        return Upload(file["suffix"], content)
    try:
        return Upload(ZIP, unpacker.unpack(content))
    except DataError as error:
        raise DataError(f"{where}.base64: {error}") from None


def _check_array(value: Any, where: str, shape: list[int]) -> None:
    if not shape:
        _check_number(value, where)
        return
    if not isinstance(value, list) or len(value) != shape[0]:
        raise DataError(f"{where}: expected a list of {shape[0]}")
    for place, part in enumerate(value):
        _check_array(part, f"{where}.{place}", shape[1:])


def _check_number(value: Any, where: str) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not -MOST <= value <= MOST):
        raise DataError(f"{where}: expected a number between {-MOST:g} and {MOST:g}, or null")


def _string(value: Any, where: str, longest: int, legal: re.Pattern[str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest or not legal.fullmatch(value):
        raise DataError(f"{where}: expected a string of at most {longest} characters without control characters, or null")
    return value


def _object(value: Any, where: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{where}: expected an object")
    known = {*required, *optional}
    for name in value:
        if name not in known:
            raise DataError(f"{where}: no {name[:100]!a}: {suggestion(name[:100], [*required, *optional])}")
    for name in required:
        if name not in value:
            raise DataError(f"{where}: {name!r} is absent, expected it (null where a value is missing)")
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON, expected null for a missing value")
