"""An encoder: a chain of stages, as data. The network that computes it lives in `fusearch.evaluators`, bound by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fusearch.data.modality import Kind
from fusearch.registry import Registry
from fusearch.search_space.entries.parameter import Param, Value

__all__ = ["ENCODERS", "Encoder"]


@dataclass(frozen=True)
class Encoder:
    """A chain of stages that turns a modality into an embedding.

    Attributes:
        name: Name in formulas.
        kinds: Kinds of modality that it reads.
        num_stages: Gives the number of stages from the (complete) parameters. `@0` is the raw input, `@num_stages` the embedding.
        params: Keyword parameters; exactly the keyword arguments of the network.
        stages: What each stage is, in words, for `fusearch list encoders`.
        reference: The paper.
    """

    name: str
    kinds: tuple[Kind, ...]
    num_stages: Callable[[Mapping[str, Value]], int]
    params: Mapping[str, Param] = field(default_factory=dict)
    stages: str = ""
    reference: str = ""


ENCODERS: Registry[Encoder] = Registry("encoder")
