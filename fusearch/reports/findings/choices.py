"""How a design is described where designs are compared by what was chosen: operators, level, modalities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from fusearch.search_space.entries.operator import OPERATORS

if TYPE_CHECKING:
    from fusearch.search_space import FusionGraph

__all__ = ["FACTORS"]


def _families(graph: FusionGraph) -> Iterable[str]:
    return {OPERATORS[fusion.operator].family for fusion in graph.fusions} or {"no fusion"}


def _operators(graph: FusionGraph) -> Iterable[str]:
    return {fusion.operator for fusion in graph.fusions} or {"no fusion"}


def _level(graph: FusionGraph) -> Iterable[str]:
    return [str(graph.labels.level) if graph.fusions else "no fusion"]


def _flow(graph: FusionGraph) -> Iterable[str]:
    return [str(graph.labels.type) if graph.fusions else "no fusion"]


def _modalities(graph: FusionGraph) -> Iterable[str]:
    active = set(graph.active_streams)
    return {stream.modality for stream in graph.streams if stream.name in active}


def _number_of_fusions(graph: FusionGraph) -> Iterable[str]:
    return [str(len(graph.fusions))]


#: Factor -> how a design is described by it. A design may fall into several groups (it uses two operators).
FACTORS: Mapping[str, Callable[[FusionGraph], Iterable[str]]] = {
    "Operator class": _families,
    "Operator": _operators,
    "Level": _level,
    "How modalities enter": _flow,
    "Modality used": _modalities,
    "Number of fusions": _number_of_fusions,
}
