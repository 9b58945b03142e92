"""A candidate: a design with a recipe. What a trial proposes, what is evaluated, what repeats are recognized by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fusearch.errors import DesignError
from fusearch.notebook import html_table
from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.recipe import Recipe

__all__ = ["Candidate"]


@dataclass(frozen=True)
class Candidate:
    """A design, the numbers that it is trained with, and what its training starts from.

    Attributes:
        graph: The design.
        recipe: The numbers of training.
        start: Digests of candidates whose trained weights it starts from, as far as the parts are the same; empty: from scratch.

    Example:
        >>> from fusearch.search_space import FusionGraph, Recipe
        >>> graph = FusionGraph.parse("a = table:mlp | b = table:mlp; F1 = sum(a@L, b@L) ->")
        >>> Candidate(graph).digest == Candidate(graph, Recipe(width=64)).digest
        False
    """

    graph: FusionGraph
    recipe: Recipe = field(default_factory=Recipe)
    start: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Twelve hex digits of graph, recipe and start."""
        text = self.graph.digest + json.dumps(self.recipe.to_dict(), sort_keys=True)
        if self.start:
            text += json.dumps(self.start)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def _repr_html_(self) -> str:
        return self.graph._repr_html_() + html_table([self.recipe.to_dict()])

    def to_dict(self) -> dict[str, Any]:
        """Return the candidate as JSON-able values; `start` only where there is one."""
        start = {"start": list(self.start)} if self.start else {}
        return {"graph": self.graph.to_dict(), "recipe": self.recipe.to_dict(), **start}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Candidate:
        """Read what `to_dict` wrote.

        Raises:
            DesignError: A key is missing, or the design or the recipe is not legal.
        """
        if set(record) - {"start"} != {"graph", "recipe"}:
            raise DesignError(f"candidate: keys {sorted(record)}, expected 'graph' and 'recipe', and 'start' where it has one")
        return cls(FusionGraph.from_dict(record["graph"]), Recipe.from_dict(record["recipe"]), tuple(record.get("start", ())))
