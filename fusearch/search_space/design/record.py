"""A design as JSON-able values, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fusearch.data.modality import Modality
from fusearch.errors import DesignError, suggestion
from fusearch.search_space.design.parts import Fusion, Output, Stream, Tap, Training, Trunk

__all__ = ["from_record", "to_record"]


def to_record(
    modalities: Sequence[Modality], streams: Sequence[Stream], fusions: Sequence[Fusion], outputs: Sequence[Output], training: Training
) -> dict[str, Any]:
    """Return the parts of a design as plain lists, dictionaries, strings and numbers."""
    return {
        "modalities": [{"name": item.name, "kind": item.kind, "shape": list(item.shape)} for item in modalities],
        "streams": [
            {"name": item.name, "modality": item.modality, "encoder": item.encoder, "params": dict(item.params), "tie": item.tie}
            for item in streams
        ],
        "fusions": [
            {
                "name": item.name,
                "operator": item.operator,
                "args": [_tap_record(arg) for arg in item.args],
                "params": dict(item.params),
                "trunk": {"family": item.trunk.family, "num_stages": item.trunk.num_stages, "stream": item.trunk.stream},
            }
            for item in fusions
        ],
        "outputs": [{"source": _tap_record(item.source), "task": item.task} for item in outputs],
        "training": training,
    }


def _tap_record(tap: Tap) -> dict[str, Any]:
    return {"source": tap.source, "depth": tap.depth, "port": tap.port}


def from_record(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the parts that `to_record` wrote, in the order of the arguments of `FusionGraph`.

    Raises:
        DesignError: A key is missing or unknown.
    """
    keys = _take(record, "design", "modalities", "streams", "fusions", "outputs", "training")
    return (
        tuple(Modality(name, kind, tuple(shape)) for name, kind, shape in (_take(m, "modality", "name", "kind", "shape") for m in keys[0])),
        tuple(Stream(*_take(item, "stream", "name", "modality", "encoder", "params", "tie")) for item in keys[1]),
        tuple(_read_fusion(item) for item in keys[2]),
        tuple(Output(_read_tap(source), task) for source, task in (_take(item, "output", "source", "task") for item in keys[3])),
        keys[4],
    )


def _read_tap(record: Mapping[str, Any]) -> Tap:
    return Tap(*_take(record, "tap", "source", "depth", "port"))


def _read_fusion(record: Mapping[str, Any]) -> Fusion:
    name, operator, args, params, trunk = _take(record, "fusion", "name", "operator", "args", "params", "trunk")
    return Fusion(
        name, operator, tuple(_read_tap(arg) for arg in args), params, Trunk(*_take(trunk, "trunk", "family", "num_stages", "stream"))
    )


def _take(record: Mapping[str, Any], what: str, *keys: str) -> list[Any]:
    for key in record:
        if key not in keys:
            raise DesignError(f"{what}: unknown key {key!r}, {suggestion(key, keys)}")
    for key in keys:
        if key not in record:
            raise DesignError(f"{what}: key {key!r} is missing")
    return [record[key] for key in keys]
