"""From YAML to a document, and from pydantic's errors to one line each: the place, the value, what was expected, the nearest legal key."""

from __future__ import annotations

import types
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from fusearch.data.kinds import KINDS
from fusearch.errors import ManifestError, YamlError, nearest, suggestion
from fusearch.tasks import REFUSED
from fusearch.yaml_file import read_yaml

__all__ = ["fault_lines", "read_document"]


def read_document(path: Path) -> dict[str, Any]:
    """Read the document of a manifest.

    Raises:
        ManifestError: There is no such file, or it is not YAML, or not a mapping.
    """
    try:
        return read_yaml(path, expected="a mapping with the keys name, id, task, modalities, splits")
    except FileNotFoundError:
        raise ManifestError(f"no manifest {str(path)!r}, expected a YAML file") from None
    except YamlError as error:
        raise ManifestError(f"{path.name or path}: {error}") from None


def fault_lines(error: ValidationError, model: type[BaseModel], place: str) -> list[str]:
    """Return one line for each fault; unknown keys come first, because a missing key is often one that was misspelt.

    Args:
        error: What pydantic found.
        model: The model that was validated.
        place: Name of the file.
    """
    lines: list[str] = []
    explained: set[tuple[str, ...]] = set()
    for fault in sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden"):
        path, owner = _walk(fault["loc"], model)
        if tuple(path) in explained:
            continue
        lines.append(f"{': '.join(part for part in (place, '.'.join(path)) if part)}{_what(dict(fault), path, owner, model)}")
        if fault["type"] == "extra_forbidden":  # a missing key that was misspelt is one fault, not two
            explained.add((*path[:-1], nearest(path[-1], owner.model_fields) or ""))
    return lines


def _what(fault: dict[str, Any], path: list[str], owner: type[BaseModel], model: type[BaseModel]) -> str:
    value = repr(fault["input"])
    value = value if len(value) <= 60 else f"{value[:57]}..."
    match fault["type"]:
        case "extra_forbidden":
            if len(path) > 1 and path[-1] in model.model_fields:
                return ": unknown key here, it belongs at the top of the file"
            return f": unknown key, {suggestion(path[-1], owner.model_fields)}"
        case "missing":
            return f": missing key, expected in every {owner.__name__.lower()}"
        case "union_tag_not_found":
            return f".kind: missing key, expected one of: {', '.join(_tags(fault['loc'], model))}"
        case "union_tag_invalid":
            tag, legal = str(fault["ctx"]["tag"]), _tags(fault["loc"], model)
            if tag in REFUSED:
                return f".kind: {tag!r}: {REFUSED[tag]}; expected one of: {', '.join(legal)}"
            if tag in KINDS:
                return f".kind: {tag!r} is not supported yet, expected one of: {', '.join(legal)}"
            return f".kind: unknown kind {tag!r}, {suggestion(tag, legal)}"
        case "string_type" if isinstance(fault["input"], bool):
            return f": YAML reads it as the truth value {value}, expected text; write it in quotes, as it stands in the file"
        case "value_error":
            return f": {fault['ctx']['error']}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f": {value}, expected a mapping"
        case _:
            message = str(fault["msg"]).removeprefix("Input should be ").removeprefix("Value ")
            return f": {value}, expected {message[0].lower()}{message[1:]}"


def _walk(loc: Sequence[Any], model: type[BaseModel]) -> tuple[list[str], type[BaseModel]]:
    """Return the path as the user wrote it (without the tags of unions), and the model that owns its last key."""
    path: list[str] = []
    owner, here = model, model  # `here` becomes the annotation of the value at the end of the path so far
    annotation: Any = model
    for step in loc:
        members = _members(annotation)
        tagged = [member for member in members if _tag(member) == step]
        if tagged:
            annotation = here = tagged[0]
            continue
        path.append(str(step))
        if len(members) == 1 and isinstance(members[0], type) and issubclass(members[0], BaseModel):
            owner = here = members[0]
            annotation = owner.model_fields[step].annotation if step in owner.model_fields else None
        elif len(members) == 1 and get_origin(members[0]) in (dict, list):
            annotation = get_args(members[0])[-1]
        else:
            annotation = None
    return path, owner if path else here


def _members(annotation: Any) -> list[Any]:
    """Return the members of a union (or the one annotation), without `Annotated` and None."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [member for arg in get_args(annotation) if arg is not type(None) for member in _members(arg)]
    return [annotation]


def _tag(member: Any) -> str | None:
    if isinstance(member, type) and issubclass(member, BaseModel) and "kind" in member.model_fields:
        return str(get_args(member.model_fields["kind"].annotation)[0])
    return None


def _tags(loc: Sequence[Any], model: type[BaseModel]) -> list[str]:
    """Return the legal values of `kind` at a place."""
    annotation: Any = model
    for step in loc:
        member = _members(annotation)[0]
        annotation = get_args(member)[1] if get_origin(member) is dict else member.model_fields[step].annotation
    return [tag for member in _members(annotation) if (tag := _tag(member)) is not None]
