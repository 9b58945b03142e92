"""Writes the reference page of the manifest from its models: `python -m fusearch.data.manifest.manifest_page > docs/manifest.md`."""

from __future__ import annotations

import sys
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fusearch.data.kinds import KINDS
from fusearch.data.manifest.manifest import EncoderKeys, Splits, kind_model, manifest_model
from fusearch.data.manifest.task_keys import PartKeys, task_model
from fusearch.tasks import TASKS

__all__ = ["manifest_reference"]

_HEAD = """\
<!-- Generated from the manifest, kinds, readers and tasks by `make reference`. Do not edit. -->

# The data manifest

One YAML file says what the data are. An unknown key is refused, with the nearest legal key in the message;
`fusearch check DATA.yaml` lists everything that is wrong. What the files must hold: [data](data.md).

```yaml
name: lgg
id: patient
task: {kind: classification, file: labels.csv, column: vital}
modalities:
  rna:      {kind: tabular, file: rna.csv}
  clinical: {kind: tabular, file: clinical.csv, columns: ["age", "stage_*"], categorical: ["sex"]}
  cxr:      {kind: image2d, file: labels.csv, column: image_path, root: images}
  ecg:      {kind: timeseries, file: ecg.npz, key: x}
splits: {column: split}
```
"""


def manifest_reference() -> str:
    """Return the page as Markdown."""
    parts: list[tuple[str, type[BaseModel]]] = [("The file", manifest_model())]
    parts += [(f"`task: {{kind: {entry.kind}}}`", task_model(entry)) for entry in TASKS.values()]
    parts += [("`tasks: {NAME: {kind: ...}}`", PartKeys)]
    parts += [(f"`modalities: {{NAME: {{kind: {kind.name}}}}}`", kind_model(kind)) for kind in KINDS.values() if kind.loadable]
    parts += [("`encoders: {NAME: [...]}`", EncoderKeys), ("`splits`", Splits)]
    return "\n".join([_HEAD, *(_part(heading, model) for heading, model in parts)])


def _part(heading: str, model: type[BaseModel]) -> str:
    rows = [_row(name, field) for name, field in model.model_fields.items() if name != "kind"]
    table = "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows])
    return f"## {heading}\n\n{(model.__doc__ or '').strip()}\n\n{table}\n"


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else _default(field.default)
    return f"| `{name}` | {_type(field.annotation)} | {default} | {field.description or ''} |"


def _default(value: Any) -> str:
    if value in (None, "", []) or isinstance(value, BaseModel):
        return "–"
    return f"`{value}`"


def _type(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(args[0])
    if origin in (Union, types.UnionType):
        members = [arg for arg in args if arg is not type(None)]
        if all(isinstance(member, type) and issubclass(member, BaseModel) for member in members):
            return "mapping with `kind`: " + ", ".join(f"`{_kind(member)}`" for member in members)
        return " or ".join(_type(member) for member in members)
    if origin is Literal:
        return " or ".join(f"`{arg}`" for arg in args)
    if origin is list:
        return f"list of {_type(args[0])}"
    if origin is dict:
        return f"mapping from name to {_type(args[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    return {str: "text", int: "integer", float: "number", bool: "`true` or `false`"}[annotation]


def _kind(model: type[BaseModel]) -> str:
    annotation = model.model_fields["kind"].annotation
    if get_origin(annotation) is not Literal:
        raise TypeError(f"{model.__name__}.kind is {annotation}, expected a Literal")
    return str(get_args(annotation)[0])


if __name__ == "__main__":
    sys.stdout.write(manifest_reference())
