"""Binds a published network to the modalities of other data: by kind, and within a kind in order (decision 0096)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fusearch.data.modality import Modality
from fusearch.errors import DesignError
from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.parts import RESERVED, Fusion, Output, Stream, Tap

__all__ = ["assign", "with_modalities"]


def assign(wanted: Sequence[Modality], offered: Sequence[Modality]) -> dict[str, Modality]:
    """Give each modality of a study one of the data: the first of its kind that is left.

    Args:
        wanted: The modalities of the study.
        offered: Those of the data; what is left over stays out of the design.

    Returns:
        Name in the study -> modality of the data.

    Raises:
        DesignError: The data have too few of a kind; the message counts both.
    """
    found: dict[str, Modality] = {}
    lacking = []
    for kind in dict.fromkeys(modality.kind for modality in wanted):
        places = [modality.name for modality in wanted if modality.kind == kind]
        fitting = [modality for modality in offered if modality.kind == kind]
        found |= dict(zip(places, fitting, strict=False))
        if len(fitting) < len(places):
            have = f"{len(fitting)} ({', '.join(modality.name for modality in fitting)})" if fitting else "none"
            lacking.append(f"{len(places)} {kind} ({', '.join(places)}), the data have {have}")
    if lacking:
        raise DesignError("it needs " + "; ".join(lacking))
    return found


def with_modalities(design: FusionGraph, assigned: Mapping[str, Modality], encoders: Mapping[str, Stream]) -> FusionGraph:
    """Return the design over other modalities; its streams are called like them.

    Args:
        design: A design.
        assigned: Name of a modality of the design -> the modality in its place.
        encoders: Name of a stream -> the same stream with the encoder for its new modality.

    Raises:
        DesignError: A stream cannot read its new modality, or tied streams would differ in shape.
    """
    names = _stream_names(design, assigned)
    names |= _fusion_names(design, set(names.values()))

    def tap(old: Tap) -> Tap:
        return replace(old, source=names[old.source], port=names.get(old.port, old.port) if old.port is not None else None)

    def stream(old: Stream) -> Stream:
        tie = names[old.tie] if old.tie is not None else None
        return replace(encoders[old.name], name=names[old.name], modality=assigned[old.modality].name, tie=tie)

    def fusion(old: Fusion) -> Fusion:
        trunk = replace(old.trunk, stream=names[old.trunk.stream]) if old.trunk.stream is not None else old.trunk
        return replace(old, name=names[old.name], args=tuple(map(tap, old.args)), trunk=trunk)

    return FusionGraph(
        tuple(assigned.values()),
        tuple(map(stream, design.streams)),
        tuple(map(fusion, design.fusions)),
        tuple(Output(tap(output.source), output.task) for output in design.outputs),
        design.training,
    )


def _stream_names(design: FusionGraph, assigned: Mapping[str, Modality]) -> dict[str, str]:
    """Call each stream like its modality; the second of a modality gets a number."""
    names: dict[str, str] = {}
    taken = {modality.name for modality in assigned.values()} | RESERVED
    for stream in design.streams:
        modality = assigned[stream.modality].name
        number = 1 + sum(assigned[other.modality].name == modality for other in design.streams if other.name in names)
        name = modality if number == 1 and modality not in RESERVED else f"{modality}_{number}"
        while name in taken and name != modality:
            name += "_"
        taken.add(name)
        names[stream.name] = name
    return names


def _fusion_names(design: FusionGraph, taken: set[str]) -> dict[str, str]:
    """Keep the names of the fusions, unless a modality has one of them."""
    prefix = ""
    while any(f"{prefix}{fusion.name}" in taken for fusion in design.fusions):
        prefix += "F"
    return {fusion.name: f"{prefix}{fusion.name}" for fusion in design.fusions}
