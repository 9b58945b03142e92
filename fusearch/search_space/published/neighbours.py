"""How near two designs are, and which published design is nearest to one that was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from statistics import fmean

from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.parts import Tap
from fusearch.search_space.entries.operator import OPERATORS
from fusearch.search_space.published.catalogue import PUBLISHED, PublishedStudy

__all__ = ["FEATURES", "design_distance", "nearest_study"]


def design_distance(one: FusionGraph, other: FusionGraph) -> float:
    """Return the mean of `FEATURES`, each from 0 (alike) to 1: a number from 0 to 1.

    Names, sizes and encoders do not count, so that designs over different data can be compared.

    Example:
        >>> one = FusionGraph.parse("a = table:mlp | b = table:mlp; F1 = cat(a@2, b@2) ->")
        >>> other = FusionGraph.parse("x = table:mlp | y = table:mlp; F1 = sum(x@2, y@2) ->")
        >>> design_distance(one, one), round(design_distance(one, other), 2)
        (0.0, 0.2)
    """
    return fmean(compare(one, other) for compare in FEATURES.values())


def nearest_study(design: FusionGraph) -> tuple[PublishedStudy, float]:
    """Return the published study whose network as built is nearest, and its distance; of equal ones the first of the review."""
    distances = {number: design_distance(design, _built(number)) for number in map(int, PUBLISHED)}
    nearest = min(distances, key=lambda number: (round(distances[number], 9), number))
    return PUBLISHED[nearest], distances[nearest]


@cache
def _built(number: int) -> FusionGraph:
    return PUBLISHED[number].design()


def _overlap(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return how little two collections share: 1 - the sum of the smaller counts / the sum of the larger ones."""
    names = {*one, *other}
    most = sum(max(one.get(name, 0), other.get(name, 0)) for name in names)
    return 1 - sum(min(one.get(name, 0), other.get(name, 0)) for name in names) / most if most else 0.0


def _ratio(one: int, other: int) -> float:
    return abs(one - other) / max(one, other, 1)


def _operators(design: FusionGraph) -> Counter[str]:
    return Counter(fusion.operator for fusion in design.fusions)


def _shares_of_classes(design: FusionGraph) -> dict[str, float]:
    classes = Counter(OPERATORS[fusion.operator].symbol for fusion in design.fusions)
    return {name: count / classes.total() for name, count in classes.items()}


def _kinds(design: FusionGraph) -> Counter[str]:
    return Counter(modality.kind for modality in design.modalities)


def _depth(design: FusionGraph) -> float:
    """Return the mean depth at which streams are taken: 0 is the raw input, 1 the embedding or the class scores."""
    streams = {stream.name for stream in design.streams}
    taps = [arg for fusion in design.fusions for arg in fusion.args if arg.source in streams]
    taps = taps or [output.source for output in design.outputs]
    return fmean(_relative(design, tap) for tap in taps)


def _relative(design: FusionGraph, tap: Tap) -> float:
    stages = design.num_stages(tap.source)
    return tap.depth / stages if isinstance(tap.depth, int) and stages else float(not isinstance(tap.depth, int))


#: What two designs are compared in, in words -> how much they differ in it, from 0 to 1.
FEATURES: Mapping[str, Callable[[FusionGraph, FusionGraph], float]] = {
    "operators, as a collection": lambda one, other: _overlap(_operators(one), _operators(other)),
    "classes of operators, by their shares": lambda one, other: _overlap(_shares_of_classes(one), _shares_of_classes(other)),
    "number of fusions, by their ratio": lambda one, other: _ratio(len(one.fusions), len(other.fusions)),
    "type (sudden, gradual, multi-flow)": lambda one, other: float(one.labels.type != other.labels.type),
    "synchronous or not": lambda one, other: float(one.labels.synchronous != other.labels.synchronous),
    "level (early, intermediate, joint-late, late)": lambda one, other: float(one.labels.level != other.labels.level),
    "mean depth of the taps of streams, as a share of their stages": lambda one, other: abs(_depth(one) - _depth(other)),
    "number of modalities, by their ratio": lambda one, other: _ratio(len(one.modalities), len(other.modalities)),
    "kinds of modalities, as a collection": lambda one, other: _overlap(_kinds(one), _kinds(other)),
    "training": lambda one, other: float(one.training != other.training),
}
