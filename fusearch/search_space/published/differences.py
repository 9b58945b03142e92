"""How far the printed formula of a study and the network as built agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.pattern import FusionPattern
from fusearch.search_space.design.pattern_parts import UNKNOWN

__all__ = ["AGREEMENTS", "PrintAgreement", "agreement"]

PrintAgreement = Literal["equal", "depths", "operators", "operators and depths", "graph"]

#: What a printed formula and a network may differ in, and what that means.
AGREEMENTS: dict[PrintAgreement, str] = {
    "equal": "The network as built is one of the designs that the printed formula stands for.",
    "depths": "Graph and classes of operators are as printed; depths differ: the review often counts layers, a stage here is a block.",
    "operators": "Graph and depths are as printed; an operator is of another class.",
    "operators and depths": "The graph is as printed; depths and the class of an operator differ.",
    "graph": "The graph itself differs: what is joined with what, or how often.",
}


def agreement(printed: FusionPattern, built: FusionGraph) -> PrintAgreement:
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
