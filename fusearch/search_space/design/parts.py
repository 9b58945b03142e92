"""The parts of a design: streams, taps, trunks, fusions, outputs. Each is a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from fusearch.errors import DesignError, suggestion
from fusearch.search_space.entries.parameter import Params, Value

__all__ = ["AUTO", "RESERVED", "TRAININGS", "TRUNKS", "Depth", "Fusion", "Output", "RuleError", "Stream", "Tap", "Training", "Trunk"]

#: How many stages have been applied: a number, `L` (all of them), `score` (a stream's class scores), `*` (all stages, concatenated).
Depth = int | Literal["L", "score", "*"]

TrunkFamily = Literal["fc", "conv", "rnn", "attention", "continue"]
TRUNKS: tuple[TrunkFamily, ...] = get_args(TrunkFamily)

Training = Literal["joint", "staged", "frozen", "independent", "convex"]
TRAININGS: tuple[Training, ...] = get_args(Training)

#: Number of trunk stages that `FusionGraph` works out: as many as the deepest consumer asks for.
AUTO: Final = -1

#: Most stages of a trunk; a typing error in a formula must not fill the memory.
MAX_STAGES: Final = 100

#: Words with a meaning of their own in a formula.
RESERVED = frozenset({"train", "L", "score"})


class RuleError(DesignError):
    """A broken rule, with the part of the design that breaks it, so that a formula can show the place.

    Attributes:
        part: Name of the stream or fusion; `->` for an output, `train` for the training mode.
        arg: Index of the argument (or of the output) at fault, where there is one.
    """

    def __init__(self, message: str, part: str, arg: int | None = None) -> None:
        super().__init__(message)
        self.part, self.arg = part, arg


def check_name(name: str, what: str) -> None:
    """Refuse a name that a formula could not hold.

    Raises:
        RuleError: The name is not an identifier, or is reserved.
    """
    if not (isinstance(name, str) and name.isidentifier() and name.isascii()):
        raise RuleError(f"{what} {name!r}: expected letters, digits and '_', not starting with a digit", str(name))
    if name in RESERVED:
        raise RuleError(f"{what} {name!r}: this word is reserved, choose another name", name)


@dataclass(frozen=True)
class Stream:
    """One modality through one encoder.

    Attributes:
        name: Name in the design.
        modality: Name of the modality.
        encoder: Name of the encoder.
        params: Parameters of the encoder; a graph holds them complete.
        tie: Another stream whose weights this one shares, or None. Parameters left out are then those of that stream.
    """

    name: str
    modality: str
    encoder: str
    params: Mapping[str, Value] = field(default_factory=Params)
    tie: str | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "stream")
        object.__setattr__(self, "params", Params(self.params))


@dataclass(frozen=True)
class Tap:
    """Where an argument is taken: a source, and how many of its stages have been applied.

    Attributes:
        source: Name of a stream or of a fusion.
        depth: `0` is the raw input or the state right after the join; a graph holds numbers in place of `L`.
        port: Which result of a fusion that gives one per argument, named by the argument's source or by its position from 1.
    """

    source: str
    depth: Depth
    port: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.depth, int) and self.depth < 0:
            raise RuleError(f"depth {self.depth} of {self.source!r}: expected 0 or more", self.source)

    def __str__(self) -> str:
        return f"{self.source}{'.' + self.port if self.port else ''}@{self.depth}"


@dataclass(frozen=True)
class Trunk:
    """A fusion's own stages after the join.

    Attributes:
        family: What the stages are; `continue` stands for the stages that are left of a stream's encoder.
        num_stages: How many; AUTO lets the graph work it out.
        stream: The stream that goes on, for `continue` only.
    """

    family: TrunkFamily = "fc"
    num_stages: int = AUTO
    stream: str | None = None

    def __post_init__(self) -> None:
        if self.family not in TRUNKS:
            raise DesignError(f"trunk family {self.family!r}: {suggestion(str(self.family), TRUNKS)}")
        if (self.family == "continue") != (self.stream is not None):
            raise DesignError(f"trunk {self.family!r} with stream {self.stream!r}: expected a stream for 'continue', and only there")
        if not AUTO <= self.num_stages <= MAX_STAGES:
            raise DesignError(f"trunk of {self.num_stages} stages: expected 0 to {MAX_STAGES}")


@dataclass(frozen=True)
class Fusion:
    """One join: an operator on taps, and the trunk that follows it.

    Attributes:
        name: Name in the design.
        operator: Name of the operator.
        args: The taps that it joins, in order.
        params: Parameters of the operator; a graph holds them complete.
        trunk: Its own stages.
    """

    name: str
    operator: str
    args: tuple[Tap, ...]
    params: Mapping[str, Value] = field(default_factory=Params)
    trunk: Trunk = field(default_factory=Trunk)

    def __post_init__(self) -> None:
        check_name(self.name, "fusion")
        object.__setattr__(self, "args", tuple(self.args))
        object.__setattr__(self, "params", Params(self.params))


@dataclass(frozen=True)
class Output:
    """What goes to a task head: a fusion at its trunk's end, a stream's embedding, or a stream's class scores.

    Attributes:
        source: The tap; `L` is the end of the trunk or of the encoder.
        task: None for the main task, else a name (`aux` for an auxiliary head).
    """

    source: Tap
    task: str | None = None

    def __post_init__(self) -> None:
        if self.task is not None:
            check_name(self.task, "task")
