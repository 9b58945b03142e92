"""An encoder: a chain of stages, as data. The network that computes it lives in `fusearch.evaluators`, bound by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fusearch.data.kinds import KINDS, loadable_kinds
from fusearch.registry import Registry
from fusearch.search_space.entries.parameter import Param, Value

__all__ = ["ENCODERS", "Encoder"]


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
    """

    name: str
    kinds: tuple[str, ...]
    num_stages: Callable[[Mapping[str, Value]], int]
    params: Mapping[str, Param] = field(default_factory=dict)
    stages: str = ""
    reference: str = ""
    any_kind: bool = False

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
