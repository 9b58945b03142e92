"""An encoder: a chain of stages, as data. The network that computes it lives in `fusearch.evaluators`, bound by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from fusearch.data.kinds import KINDS, loadable_kinds
from fusearch.registry import Registry
from fusearch.search_space.entries.parameter import Param, Value

__all__ = ["ENCODERS", "POOL", "POOLING", "Chain", "Encoder"]

#: The parameter of an encoder of many tokens that says how `@L` and its class scores make one vector of them (decision 0029): the mean, or
#: attention (Ilse et al., Attention-based deep multiple instance learning, ICML 2018, eq. 8). Streams read it, not the encoder's network.
POOL = "pool"
POOLING = Param("mean", choices=("mean", "attention"))

#: An encoder by name, with its complete parameters.
Chain = tuple[str, Mapping[str, Value]]


@dataclass(frozen=True)
class Encoder:
    """A chain of stages that turns a modality into an embedding.

    Attributes:
        name: Name in formulas.
        kinds: Kinds of modality that it reads, beside those whose entries name it. The first is what a formula without modalities means.
        num_stages: Gives the number of stages from the (complete) parameters. `@0` is the raw input, `@num_stages` the embedding.
        params: Keyword parameters; exactly the keyword arguments of the network.
        stages: What each stage is, in words, for `fusearch list encoders`.
        reference: The paper.
        any_kind: Whether it reads every kind, a plug-in's too.
        tokens: What its stages give: `one` token, `many`, or many where the kind has positions (pixels, steps, nodes).
        positions: Gives how many positions are left of a grid of these sizes after `depth` stages.
        recipe_width: Whether every stage is as wide as the recipe says.
        first_stages: Gives the least chain that computes the first `depth` stages, from the parameters and the depth, so that stages that
            nothing reads are no part of a design (decision 0028). None: the encoder itself.
    """

    name: str
    kinds: tuple[str, ...]
    num_stages: Callable[[Mapping[str, Value]], int]
    params: Mapping[str, Param] = field(default_factory=dict)
    stages: str = ""
    reference: str = ""
    any_kind: bool = False
    tokens: Literal["one", "many", "kind"] = "kind"
    positions: Callable[[tuple[int, ...], int], int] = lambda sizes, _: math.prod(sizes)
    recipe_width: bool = False
    first_stages: Callable[[Mapping[str, Value], int], Chain] | None = None

    def has_many(self, depth: int, *, positions: bool) -> bool:
        """Whether a sample has several tokens after `depth` stages, where its kind has positions or not."""
        if self.tokens == "one":
            return False
        return positions or (self.tokens == "many" and depth > 0)

    def comes_to_one(self, depth: int, sizes: tuple[int, ...]) -> bool:
        """Whether `depth` stages bring a grid of these sizes down to one position."""
        return bool(sizes) and self.tokens != "one" and self.positions(sizes, depth) == 1

    def reads(self, kind: str) -> bool:
        """Whether it reads modalities of that kind."""
        if self.any_kind or kind in self.kinds:
            return True
        entry = KINDS[kind]
        return self.name in (*entry.encoders, *(layout.encoder for layout in entry.layouts))

    @property
    def loadable_kinds(self) -> tuple[str, ...]:
        """The kinds that it reads and a manifest may name."""
        return tuple(name for name in loadable_kinds() if self.reads(name))


ENCODERS: Registry[Encoder] = Registry("encoder")
