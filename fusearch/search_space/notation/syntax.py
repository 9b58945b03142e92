"""What a formula says, before it is known whether it makes sense: the items of its lines, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fusearch.search_space.design.parts import Trunk
from fusearch.search_space.entries.parameter import Value

__all__ = ["Document", "FusionItem", "OutputItem", "Place", "StreamItem", "TapItem"]


@dataclass(frozen=True)
class Place:
    """Where an item stands: the line as written, and the column in it."""

    line: str
    column: int


@dataclass(frozen=True)
class StreamItem:
    """`name = modality:encoder(params; tie=other)`; what is left out is None."""

    name: str
    place: Place
    modality: str | None = None
    encoder: str | None = None
    params: Mapping[str, Value] = field(default_factory=dict)
    tie: str | None = None


@dataclass(frozen=True)
class TapItem:
    """`source.port@depth`. The depth is a number, `L`, `score`, `*`, or for patterns `?` or a letter as in `y2+1`; None if left out."""

    source: str
    depth: int | str | None
    place: Place
    port: str | None = None


@dataclass(frozen=True)
class FusionItem:
    """`name = operator(args; params)`. The operator is a name, a symbol of a class, or `?`."""

    name: str
    operator: str
    args: tuple[TapItem, ...]
    place: Place
    operator_place: Place
    params: Mapping[str, Value] = field(default_factory=dict)
    trunk: Trunk | None = None


@dataclass(frozen=True)
class OutputItem:
    """`tap -> task`."""

    tap: TapItem
    task: str | None = None


@dataclass
class Document:
    """All items of a formula, in the order of their lines."""

    streams: list[StreamItem] = field(default_factory=list)
    fusions: list[FusionItem] = field(default_factory=list)
    outputs: list[OutputItem] = field(default_factory=list)
    training: str | None = None
    training_place: Place | None = None
