"""What a design is described by where designs are compared: the choices that it made, as words and as numbers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fusearch.search_space.entries.operator import OPERATORS

if TYPE_CHECKING:
    from fusearch.search_space.design.graph import FusionGraph
    from fusearch.search_space.design.parts import Tap
    from fusearch.search_space.entries.parameter import Value

__all__ = ["ENCODER", "FACTORS", "Feature", "features_of"]

#: A choice with a word for what was chosen, empty where the choice is a number.
Feature = tuple[str, str]

#: The choice of encoders; a word for each modality with its encoder.
ENCODER = "Encoder"

#: Numbers of a recipe that are drawn, and thus compared, on a logarithmic scale.
_LOGARITHMIC = frozenset({"learning_rate", "weight_decay"})


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


def features_of(graph: FusionGraph, recipe: Mapping[str, Any]) -> dict[Feature, float]:
    """Return what a design and its recipe are described by, for a model that learns from designs; what is not there is 0.

    The factors and the encoders are 1 for each word that holds. Numbers: of the recipe (learning rate and weight decay as logarithms to
    base 10), of parameters of encoders and operators, how deep each modality is tapped as a share of its encoder, the fusion at which it
    enters, how many arguments and trunk stages there are.

    Example:
        >>> from fusearch.search_space import parse
        >>> found = features_of(parse("a:mlp | b:mlp; F1 = cat(a@1, b@2); F2 = sum(F1@0, a@2) ->"), {"learning_rate": 0.01})
        >>> found["Operator", "cat"], found["Depth of taps", "a"], found["learning_rate", ""]
        (1.0, 0.75, -2.0)
    """
    found: dict[Feature, float] = {(factor, word): 1.0 for factor, describe in FACTORS.items() for word in describe(graph)}
    found |= {(ENCODER, f"{stream.modality}:{stream.encoder}"): 1.0 for stream in graph.streams}
    found |= dict(_structure(graph))
    for stream in graph.streams:
        found |= dict(_settings("Setting of encoder", f"{stream.modality}:{stream.encoder}", stream.params))
    for fusion in graph.fusions:
        found |= dict(_settings("Setting of operator", fusion.operator, fusion.params))
    for name, value in recipe.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        found[(name, "") if is_number else (name, str(value))] = _measure(name, value) if is_number else 1.0
    return found


def _structure(graph: FusionGraph) -> Iterator[tuple[Feature, float]]:
    yield ("Training", graph.training), 1.0
    yield ("Synchronous", ""), float(graph.labels.synchronous)
    yield ("Flows", ""), float(graph.labels.flows)
    yield ("Number of arguments", ""), float(sum(len(fusion.args) for fusion in graph.fusions))
    yield ("Trunk stages", ""), float(sum(fusion.trunk.num_stages for fusion in graph.fusions))
    yield from ((("Trunk", fusion.trunk.family), 1.0) for fusion in graph.fusions if fusion.trunk.num_stages)
    modality_of = {stream.name: stream.modality for stream in graph.streams}
    shares: dict[str, list[float]] = defaultdict(list)
    for place, name in enumerate(graph.order, start=1):
        for tap in graph.fusion(name).args:
            if tap.source in modality_of:
                modality = modality_of[tap.source]
                if modality not in shares:
                    yield ("Fusion of entry", modality), float(place)
                shares[modality].append(_share(graph, tap))
                if not isinstance(tap.depth, int):
                    yield (f"Tap of {modality}", str(tap.depth)), 1.0
    for modality, values in shares.items():
        yield ("Depth of taps", modality), sum(values) / len(values)


def _share(graph: FusionGraph, tap: Tap) -> float:
    """Return how much of the encoder lies before a tap: class scores and all stages lie behind the whole of it."""
    return tap.depth / max(1, graph.num_stages(tap.source)) if isinstance(tap.depth, int) else 1.0


def _settings(what: str, of: str, params: Mapping[str, Value]) -> Iterator[tuple[Feature, float]]:
    for name, value in params.items():
        if isinstance(value, int | float):
            yield (what, f"{of}.{name}"), float(value)
        else:
            yield (what, f"{of}.{name}={value}"), 1.0


def _measure(name: str, value: float) -> float:
    return math.log10(value) if name in _LOGARITHMIC and value > 0 else float(value)
