"""The parts of a pattern: like those of a design, but operator, source, depth, trunk and encoder may be unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fusearch.search_space.design.parts import Trunk
from fusearch.search_space.entries.operator import FAMILIES_BY_SYMBOL, OPERATORS, SYMBOLS
from fusearch.search_space.entries.parameter import Params, Value

__all__ = ["UNKNOWN", "PatternFusion", "PatternOutput", "PatternStream", "PatternTap", "Unknown"]

#: Stands for any operator, source or depth.
UNKNOWN = "?"

Unknown = int | str

_FREE = re.compile(r"x\d+")


@dataclass(frozen=True)
class PatternStream:
    """A stream of a pattern.

    Attributes:
        name: `x1`, `x2`, ... without a modality stand for any stream; another name stands for the stream of that name.
        modality: Name of the modality, or None for any.
        encoder: Name of the encoder, or None for any.
        params: Parameters that the encoder has to have; others may be anything.
        tie: The stream whose weights it shares, or None for any.
    """

    name: str
    modality: str | None = None
    encoder: str | None = None
    params: Mapping[str, Value] = field(default_factory=Params)
    tie: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", Params(self.params))

    @property
    def is_free(self) -> bool:
        """Whether it may stand for a stream of another name."""
        return self.modality is not None or _FREE.fullmatch(self.name) is not None


@dataclass(frozen=True)
class PatternTap:
    """A tap of a pattern.

    Attributes:
        source: A stream, a fusion, or `?`.
        depth: A number, `L`, `score`, `*`, a letter (the same letter is the same depth), a letter plus a number, or `?`.
        port: As in a design, or None for any.
    """

    source: str
    depth: Unknown
    port: str | None = None

    def __str__(self) -> str:
        return f"{self.source}{'.' + self.port if self.port else ''}^{self.depth}"


@dataclass(frozen=True)
class PatternFusion:
    """A fusion of a pattern.

    Attributes:
        name: Its name in the pattern; it may stand for a fusion of another name.
        operator: The name of an operator, the symbol of a class, or `?`.
        args: The taps that it joins.
        params: Parameters that the operator has to have; others may be anything.
        trunk: None for any; AUTO stages for any number.
    """

    name: str
    operator: str
    args: tuple[PatternTap, ...]
    params: Mapping[str, Value] = field(default_factory=Params)
    trunk: Trunk | None = None

    def __post_init__(self) -> None:
        operator = self.operator
        if operator not in OPERATORS:
            operator = SYMBOLS.get(operator, operator)  # `attention(...)` is the ASCII form of `𝔸(...)`
        object.__setattr__(self, "operator", operator)
        object.__setattr__(self, "args", tuple(self.args))
        object.__setattr__(self, "params", Params(self.params))

    def allows(self, operator: str) -> bool:
        """Whether an operator of that name fits."""
        if self.operator in FAMILIES_BY_SYMBOL:
            return OPERATORS[operator].symbol == self.operator
        return self.operator in (UNKNOWN, operator)


@dataclass(frozen=True)
class PatternOutput:
    """An output of a pattern: the source, and the task as in a design."""

    source: PatternTap
    task: str | None = None
