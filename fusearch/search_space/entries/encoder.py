"""An encoder: a chain of stages, as data. The network that computes it lives in `fusearch.evaluators`, bound by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Literal

from fusearch.data.kinds import KINDS, loadable_kinds
from fusearch.errors import DesignError, suggestion
from fusearch.registry import Registry
from fusearch.search_space.entries.parameter import Param, Value, complete_params

__all__ = ["EMBEDDING", "ENCODERS", "OWN_WIDTH", "POOL", "POOLING", "SIZE", "SIZES", "WIDTH", "Chain", "Encoder"]

#: The parameter of an encoder of many tokens that says how `@L` and its class scores make one vector of them (decision 0029): the mean, or
#: attention (Ilse et al., Attention-based deep multiple instance learning, ICML 2018, eq. 8). Streams read it, not the encoder's network.
POOL = "pool"
POOLING = Param("mean", choices=("mean", "attention"))

#: The parameter of an encoder that says how wide it is, whatever the recipe says; 0: as the recipe says. Who builds a network reads it.
WIDTH = "width"
OWN_WIDTH = Param(0, minimum=0, maximum=8192, stated=True)

#: The parameter of an encoder of symbols, where the modality is codes: a vector that is learned for each code, or a column each.
EMBEDDING = "embedding"

#: The word for a size in place of parameters, and its values. It is no parameter: a design holds what it stands for (decision 0037).
SIZE = "size"
SIZES = ("tiny", "small", "base")

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
        equation: What a stage, or a block of one, computes.
        differs: What the paper's network does otherwise, said of ours; empty where it is the paper's.
        reference: The paper.
        any_kind: Whether it reads every kind, a plug-in's too.
        tokens: What its stages give: `one` token, `many`, or many where the kind has positions (pixels, steps, nodes).
        positions: Gives how many positions are left of a grid of these sizes after `depth` stages, with these parameters.
        recipe_width: Whether every stage is as wide as the recipe says.
        sizes: What the sizes `tiny` and `base` stand for; `small` stands for the defaults, and so does a size that is left out.
        reads_links: Whether its stages read the links of positions (the edges of a graph) beside what they are given.
        package: The package that its network needs beyond those that fusearch brings.
        extra: The extra of fusearch that brings that package.
        names: Names of the stages; one that ends with `#` is all stages from there on, which are counted: `layer#` for layer1, layer2, ...
        first_stages: Gives the least chain that computes the first `depth` stages, from the parameters and the depth, so that stages that
            nothing reads are no part of a design (decision 0028). None: the encoder itself.
    """

    name: str
    kinds: tuple[str, ...]
    num_stages: Callable[[Mapping[str, Value]], int]
    params: Mapping[str, Param] = field(default_factory=dict)
    stages: str = ""
    equation: str = ""
    differs: str = ""
    reference: str = ""
    any_kind: bool = False
    tokens: Literal["one", "many", "kind"] = "kind"
    positions: Callable[[tuple[int, ...], int, Mapping[str, Value]], int] = lambda sizes, _, __: math.prod(sizes)
    recipe_width: bool = False
    first_stages: Callable[[Mapping[str, Value], int], Chain] | None = None
    sizes: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    names: tuple[str, ...] = ("stage#",)
    reads_links: bool = False
    package: str = ""
    extra: str = ""

    def complete(self, given: Mapping[str, Value], where: str) -> dict[str, Value]:
        """Return the complete parameters of a design's stream from those that it states, a size among them.

        Raises:
            DesignError: A parameter is not known, or its value is not legal.
        """
        return complete_params(self.without_size(given, where), self.params, where)

    def without_size(self, given: Mapping[str, Value], where: str) -> dict[str, Value]:
        """Return stated parameters with what a size stands for in its place; what is stated beside it holds.

        Raises:
            DesignError: There is no such size.
        """
        if SIZE not in given:
            return dict(given)
        size = given[SIZE]
        if size not in SIZES:
            raise DesignError(f"{where}: size is {size!r}, {suggestion(str(size), SIZES)}")
        return {**self.of_size(str(size)), **{name: value for name, value in given.items() if name != SIZE}}

    def of_size(self, size: str) -> dict[str, Value]:
        """Return the parameters that a size stands for: all that any size sets."""
        named = dict.fromkeys(name for values in self.sizes.values() for name in values)
        return {name: self.sizes.get(size, {}).get(name, self.params[name].default) for name in named}

    def stage_names(self, params: Mapping[str, Value]) -> tuple[str, ...]:
        """Return the name of each stage, in order, for complete parameters."""
        *first, last = self.names
        if not last.endswith("#"):
            first, last = [*first, last], "stage#"
        count = self.num_stages(params)
        return tuple([*first, *(f"{last[:-1]}{number}" for number in range(1, count - len(first) + 1))][:count])

    def has_many(self, depth: int, *, positions: bool) -> bool:
        """Whether a sample has several tokens after `depth` stages, where its kind has positions or not."""
        if self.tokens == "one":
            return False
        return positions or (self.tokens == "many" and depth > 0)

    def comes_to_one(self, depth: int, sizes: tuple[int, ...], params: Mapping[str, Value]) -> bool:
        """Whether `depth` stages bring a grid of these sizes down to one position, with complete parameters."""
        return bool(sizes) and self.tokens != "one" and self.positions(sizes, depth, params) == 1

    def reads(self, kind: str) -> bool:
        """Whether it reads modalities of that kind."""
        if self.any_kind or kind in self.kinds:
            return True
        entry = KINDS[kind]
        return self.name in (*entry.encoders, *(layout.encoder for layout in entry.layouts))

    @property
    def lacks(self) -> str | None:
        """What its network needs and is not installed, with the words that install it; None where there is nothing."""
        if not self.package or find_spec(self.package) is not None:
            return None
        asked = f"'fusearch[{self.extra}]'" if self.extra else self.package
        return f"encoder {self.name!r} needs {self.package}, which is not installed: pip install {asked}"

    @property
    def loadable_kinds(self) -> tuple[str, ...]:
        """The kinds that it reads and a manifest may name."""
        return tuple(name for name in loadable_kinds() if self.reads(name))


ENCODERS: Registry[Encoder] = Registry("encoder")
