"""A design: streams, fusions and outputs, as one frozen, checked, hashable value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from fusearch.data.modality import Modality
from fusearch.errors import DesignError, suggestion
from fusearch.lazy import from_above
from fusearch.search_space.design.digest import compute_digest
from fusearch.search_space.design.labels import Labels, compute_labels
from fusearch.search_space.design.network_view import to_networkx
from fusearch.search_space.design.normal_form import normal_form
from fusearch.search_space.design.parts import Depth, Fusion, Output, RuleError, Stream, Tap, Training
from fusearch.search_space.design.pattern import FusionPattern
from fusearch.search_space.design.pattern_parts import PatternFusion, PatternOutput, PatternStream, PatternTap
from fusearch.search_space.design.record import from_record, to_record
from fusearch.search_space.design.resolution import Resolution, resolve
from fusearch.search_space.design.structure import fusion_depths
from fusearch.search_space.entries.operator import OPERATORS
from fusearch.search_space.notation import print_design, read_design

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["FusionGraph"]

T = TypeVar("T")


@dataclass(frozen=True)
class FusionGraph:
    """A fusion design.

    What is left out is filled in and every rule of the language is checked, so that an existing graph is a valid and complete one:
    parameters have their values, `L` is a number, trunks have a length. Two graphs are equal where streams, fusions, outputs and
    training are; the shapes of the modalities are facts about the data, not part of the design.

    Args:
        modalities: What the streams read. Those that no stream reads are dropped.
        streams: Modalities through encoders.
        fusions: Joins, in any order.
        outputs: What goes to a task head.
        training: `joint`, `staged`, `frozen`, `independent` (late fusion), or `convex` (a linear model, solved).

    Raises:
        DesignError: A rule is broken.

    Example:
        >>> from fusearch.data.modality import Modality
        >>> tables = (Modality("mrna", "tabular", (200,)), Modality("meth", "tabular", (200,)))
        >>> graph = FusionGraph.parse("F1 = cat(mrna@1, meth@L; trunk=fc:1) ->", modalities=tables)
        >>> print(graph)
        mrna:mlp(layers=1) | meth:mlp
        F1 = cat(mrna@1, meth@2; trunk=fc:1) ->
        >>> graph.labels.type, graph.labels.synchronous
        ('sudden', False)
    """

    modalities: tuple[Modality, ...] = field(compare=False)
    streams: tuple[Stream, ...]
    fusions: tuple[Fusion, ...] = ()
    outputs: tuple[Output, ...] = ()
    training: Training = "joint"

    def __post_init__(self) -> None:
        design = resolve(self.modalities, self.streams, self.fusions, self.outputs, self.training)
        while (parts := normal_form(design)) is not None:
            design = resolve(design.modalities, *parts)
        put = object.__setattr__
        put(self, "modalities", design.modalities)
        put(self, "streams", tuple(design.streams.values()))
        put(self, "fusions", tuple(design.fusions.values()))
        put(self, "outputs", design.outputs)
        put(self, "training", design.training)
        self.__dict__["_resolution"] = design

    def __reduce__(self) -> tuple[Any, ...]:
        return FusionGraph, (self.modalities, self.streams, self.fusions, self.outputs, self.training)

    @classmethod
    def parse(cls, text: str, modalities: Sequence[Modality] = ()) -> FusionGraph:
        """Read a design in text form or in the review's typography.

        Args:
            text: A header line of streams (optional where `modalities` are given), one line a fusion, and `train = ...` where the
                training is not joint. `;` separates like a line break.
            modalities: The modalities of the data. A stream that names no encoder, or is not in the header at all, gets the
                default encoder of the modality of its name. Without modalities their kinds are guessed from the encoders.

        Raises:
            FormulaError: The text is not a design; a caret shows the place.
        """
        draft = read_design(text, modalities)
        try:
            return cls(draft.modalities, draft.streams, draft.fusions, draft.outputs, draft.training)
        except RuleError as error:
            raise draft.locate(error) from None

    def _repr_html_(self) -> str:
        return str(from_above("reports.figures.drawing", "draw")(self))

    def __str__(self) -> str:
        return print_design(self.streams, self.fusions, self.outputs, self.training)

    @property
    def formula(self) -> str:
        """The text form on one line."""
        return str(self).replace("\n", "; ")

    def stream(self, name: str) -> Stream:
        """Return the stream of that name.

        Raises:
            DesignError: There is none.
        """
        return self._part(name, self._design.streams, "stream")

    def fusion(self, name: str) -> Fusion:
        """Return the fusion of that name.

        Raises:
            DesignError: There is none.
        """
        return self._part(name, self._design.fusions, "fusion")

    def modality(self, name: str) -> Modality:
        """Return the modality of that name.

        Raises:
            DesignError: No stream reads it.
        """
        return self._part(name, {modality.name: modality for modality in self.modalities}, "modality")

    def num_stages(self, name: str) -> int:
        """Return the number of stages of a stream's encoder, or of a fusion's trunk."""
        return self._part(name, self._design.stages, "stream or fusion")

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the fusions, each after those that it takes."""
        return self._design.order

    @property
    def active_streams(self) -> tuple[str, ...]:
        """Names of the streams that some output covers."""
        covered = frozenset().union(*(self.covered(output.source.source) for output in self.outputs))
        return tuple(stream.name for stream in self.streams if stream.name in covered)

    def covered(self, name: str) -> frozenset[str]:
        """Return the streams that a stream or fusion depends on."""
        return self._part(name, self._design.covered, "stream or fusion")

    @cached_property
    def main_output(self) -> Output:
        """The output of the main task.

        It covers every active stream. Where several do, one without a task's name comes first, then the deepest fusion, then the last.
        """
        active = frozenset(self.active_streams)
        depths = fusion_depths(self.order, self._design.fusions)

        def rank(index: int) -> tuple[bool, int, int]:
            output = self.outputs[index]
            return output.task is None, depths.get(output.source.source, 0), index

        return self.outputs[max((i for i, output in enumerate(self.outputs) if self.covered(output.source.source) == active), key=rank)]

    def ports_read(self, fusion: str, index: int) -> tuple[int, ...]:
        """Return which results the argument `index` of a fusion reads, as positions among the arguments of its source.

        Empty where the source gives one result only; several are concatenated. A tap that names no port reads the port of the
        source that the consumer also has as another argument; if there is none, all of them.
        """
        self.fusion(fusion)
        return self._design.ports[fusion, index]

    def ports_of_output(self, index: int) -> tuple[int, ...]:
        """Return which results the output `index` reads, as `ports_read` does."""
        return self._design.ports["->", index]

    def continued(self, fusion: str) -> tuple[int, int] | None:
        """Return how a trunk `continue(stream)` goes on: the index of the argument, and the stages that it has behind it.

        The trunk's stage 1 is then the encoder's stage `behind + 1`. None for every other trunk. Where the operator has ports, only
        the port of that argument goes on; the others end at depth 0.
        """
        self.fusion(fusion)
        return self._design.continued.get(fusion)

    @cached_property
    def labels(self) -> Labels:
        """The review's analysis of the design."""
        modality_of = {stream.name: stream.modality for stream in self.streams}
        trained = any(OPERATORS[fusion.operator].trained for fusion in self.fusions)
        how = [*(f"{name}: {self._how(self.fusion(name))}" for name in self.order), self.training]
        # The review counts stages; it has no word for what is pooled behind the last one.
        counted = {
            name: replace(fusion, args=tuple(replace(arg, depth=self._counted(arg)) for arg in fusion.args))
            for name, fusion in self._design.fusions.items()
        }
        return compute_labels(self.order, counted, modality_of, trained=trained, training=self.training, how=how)

    @cached_property
    def digest(self) -> str:
        """Twelve hex digits, the same for designs that differ only in names, in order, or in the order of symmetric arguments."""
        return compute_digest(self._design, self.main_output)

    def to_dict(self) -> dict[str, Any]:
        """Return the design as JSON-able values."""
        return to_record(self.modalities, self.streams, self.fusions, self.outputs, self.training)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> FusionGraph:
        """Read what `to_dict` wrote.

        Raises:
            DesignError: A key is missing or unknown, or the design breaks a rule.
        """
        return cls(*from_record(record))

    def to_pattern(self) -> FusionPattern:
        """Return the design as the review prints it: streams `x1`, `x2`, ..., classes of operators, depths; no trunks or parameters."""
        taps = [arg for name in self.order for arg in self.fusion(name).args] + [output.source for output in self.outputs]
        used = [source for source in dict.fromkeys(tap.source for tap in taps) if source in self._design.streams]
        lenders = [stream.name for stream in self.streams if stream.name not in used]
        short = {name: f"x{number}" for number, name in enumerate([*used, *lenders], start=1)}
        short |= {name: f"F{number}" for number, name in enumerate(self.order, start=1)}
        fusions = [self.fusion(name) for name in self.order]
        return FusionPattern(
            tuple(PatternStream(short[name]) for name in used),
            tuple(
                PatternFusion(
                    short[fusion.name],
                    OPERATORS[fusion.operator].symbol,
                    tuple(PatternTap(short[arg.source], self._counted(arg)) for arg in fusion.args),
                )
                for fusion in fusions
            ),
            tuple(
                PatternOutput(PatternTap(short[output.source.source], "score" if output.source.depth == "score" else "L"), output.task)
                for output in self.outputs
            ),
        )

    def to_networkx(self) -> nx.DiGraph[str]:
        """Return the design as a networkx graph, ready to draw."""
        return to_networkx(self._design)

    def _counted(self, tap: Tap) -> Depth:
        """Return the depth of a tap in stages."""
        return self._design.depth_of(tap) if tap.depth == "L" else tap.depth

    @staticmethod
    def _how(fusion: Fusion) -> str:
        trunk = (
            f"continue({fusion.trunk.stream})" if fusion.trunk.stream is not None else f"{fusion.trunk.family}:{fusion.trunk.num_stages}"
        )
        return fusion.operator if fusion.trunk.num_stages == 0 else f"{fusion.operator}, {trunk}"

    def _part(self, name: str, parts: Mapping[str, T], what: str) -> T:
        if name not in parts:
            raise DesignError(f"no {what} {name!r} in this design: {suggestion(name, parts)}")
        return parts[name]

    @property
    def _design(self) -> Resolution:
        design: Resolution = self.__dict__["_resolution"]
        return design
