"""How far the printed formula of a study and the network as built agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from fusearch.search_space.design.matching import Design
from fusearch.search_space.design.parts import Fusion, Output, Stream
from fusearch.search_space.design.pattern import FusionPattern
from fusearch.search_space.design.pattern_parts import UNKNOWN

__all__ = ["AGREEMENTS", "PrintAgreement", "WrittenDesign", "agreement"]

PrintAgreement = Literal["equal", "depths", "operators", "operators and depths", "graph"]

#: What a printed formula and a network may differ in, and what that means.
AGREEMENTS: dict[PrintAgreement, str] = {
    "equal": "The network as built is one of the designs that the printed formula stands for.",
    "depths": "Graph and classes of operators are as printed; depths differ: the review often counts layers, a stage here is a block.",
    "operators": "Graph and depths are as printed; an operator is of another class.",
    "operators and depths": "The graph is as printed; depths and the class of an operator differ.",
    "graph": "The graph itself differs: what is joined with what, or how often.",
}


@dataclass(frozen=True)
class WrittenDesign:
    """A network as the atlas writes it, whatever of it a design leaves out because it computes the same without.

    Attributes:
        streams: The streams.
        fusions: The fusions.
        outputs: The outputs.
        training: The training mode.
        stages: Number of stages of each stream.
    """

    streams: tuple[Stream, ...]
    fusions: tuple[Fusion, ...]
    outputs: tuple[Output, ...]
    training: str = "joint"
    stages: Mapping[str, int] = field(default_factory=dict)

    def num_stages(self, name: str) -> int:
        """Return the number of stages of a stream; 0 for a fusion, whose trunk no printed formula tells."""
        return self.stages.get(name, 0)


def agreement(printed: FusionPattern, built: Design) -> PrintAgreement:
    """Return what a printed formula and a network differ in: the least that has to be left open for one to stand for the other.

    Example:
        >>> from fusearch.search_space import printed_pattern, published_design
        >>> agreement(printed_pattern("medfuse"), published_design("medfuse"))
        'depths'
    """
    if printed.matches(built):
        return "equal"
    if _opened(printed, depths=True).matches(built):
        return "depths"
    if _opened(printed, operators=True).matches(built):
        return "operators"
    return "operators and depths" if _opened(printed, depths=True, operators=True).matches(built) else "graph"


def _opened(pattern: FusionPattern, *, depths: bool = False, operators: bool = False) -> FusionPattern:
    """Return the pattern with any depth, or any operator, in each place."""
    fusions = tuple(
        replace(
            fusion,
            operator=UNKNOWN if operators else fusion.operator,
            args=tuple(replace(arg, depth=UNKNOWN) if depths else arg for arg in fusion.args),
        )
        for fusion in pattern.fusions
    )
    return replace(pattern, fusions=fusions)
