"""A pattern: a formula in which something is unknown, and so a set of designs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from fusearch.errors import FormulaError
from fusearch.search_space.design.labels import Labels, compute_labels
from fusearch.search_space.design.matching import Design, readings
from fusearch.search_space.design.parts import RuleError, Training
from fusearch.search_space.design.pattern_parts import UNKNOWN, PatternFusion, PatternOutput, PatternStream, PatternTap
from fusearch.search_space.design.structure import check_uses, coverage, topological_order
from fusearch.search_space.entries.encoder import ENCODERS
from fusearch.search_space.entries.operator import FAMILIES_BY_SYMBOL, OPERATORS
from fusearch.search_space.entries.parameter import Value
from fusearch.search_space.notation import parse_document, print_pattern
from fusearch.search_space.notation.syntax import Document, Place, StreamItem, TapItem

__all__ = ["FusionPattern"]


@dataclass(frozen=True)
class FusionPattern:
    """A set of designs, written as one formula.

    Operators may be classes (`⊕ ⊞ 𝔸 𝕊 ⇌`) or `?`; depths may be letters (the same letter is the same depth), `y2+1`, or `?`;
    sources may be `?`; encoders, parameters, trunks and the training may be left out.

    Attributes:
        streams: The streams, named by the header or by the taps.
        fusions: The fusions.
        outputs: The outputs.
        training: The training mode, or None for any.

    Example:
        >>> pattern = FusionPattern.parse("F1 = ⊕(x1^x, x2^y) →")
        >>> pattern.labels.type
        'sudden'
        >>> from fusearch.search_space import FusionGraph
        >>> pattern.matches(FusionGraph.parse("a:mlp | b:mlp; F1 = cat(a@1, b@2) ->"))
        True
    """

    streams: tuple[PatternStream, ...]
    fusions: tuple[PatternFusion, ...] = ()
    outputs: tuple[PatternOutput, ...] = ()
    training: Training | None = None
    _order: tuple[str, ...] = field(default=(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Streams of which nothing is known stand in the order of their first use, as they would after parsing.
        used = [arg.source for fusion in self.fusions for arg in fusion.args] + [output.source.source for output in self.outputs]
        ranks = {source: rank for rank, source in reversed(list(enumerate(used)))}
        described = [stream for stream in self.streams if stream.modality is not None or stream.encoder is not None]
        bare = [stream for stream in self.streams if stream.modality is None and stream.encoder is None]
        object.__setattr__(self, "streams", (*described, *sorted(bare, key=lambda stream: ranks.get(stream.name, len(used)))))
        names = [stream.name for stream in self.streams]
        for part in [*names, *(fusion.name for fusion in self.fusions)]:
            if [*names, *(fusion.name for fusion in self.fusions)].count(part) > 1:
                raise RuleError(f"two parts are called {part!r}", part)
        for fusion in self.fusions:
            known = fusion.operator in FAMILIES_BY_SYMBOL or fusion.operator == UNKNOWN
            if not known:
                OPERATORS[fusion.operator]  # an unknown name is refused with the nearest one
            if len(fusion.args) < 2:
                raise RuleError(f"{fusion.name} has {len(fusion.args)} argument, expected two or more", fusion.name)
        # An unknown source may be any part: it counts as a stream of its own that is always used.
        streams = {*names, UNKNOWN}
        order = topological_order(self.fusions, streams)
        object.__setattr__(self, "_order", order)
        if not any(arg.source == UNKNOWN for fusion in self.fusions for arg in fusion.args):
            by_name = {fusion.name: fusion for fusion in self.fusions}
            covered = coverage(order, by_name, names)
            ends = [output.source.source for output in self.outputs]
            check_uses(order, by_name, names, ends, covered, [stream.tie for stream in self.streams if stream.tie])

    @classmethod
    def parse(cls, text: str) -> FusionPattern:
        """Read a pattern in the review's typography or in text form.

        Raises:
            FormulaError: The text is not a pattern; a caret shows the place.
        """
        document = parse_document(text)
        try:
            return cls(*_parts_of(document))
        except RuleError as error:
            place = _place_of(document, error)
            raise FormulaError(str(error), place.line, place.column) if place else FormulaError(str(error)) from None

    def __str__(self) -> str:
        return print_pattern(self.streams, self.fusions, self.outputs, self.training)

    @cached_property
    def labels(self) -> Labels:
        """The review's analysis, by the same rules as for designs; a stream without a modality counts as a modality of its own."""
        modality_of = {stream.name: stream.modality or stream.name for stream in self.streams}
        fusions = {fusion.name: fusion for fusion in self.fusions}
        trained = any(fusion.operator not in OPERATORS or OPERATORS[fusion.operator].trained for fusion in self.fusions)
        how = [f"{name}: {fusions[name].operator}" for name in self._order] + ([self.training] if self.training else [])
        return compute_labels(self._order, fusions, modality_of, trained=trained, training=self.training or "joint", how=how)

    def matches(self, graph: Design) -> bool:
        """Whether `graph` is one of the pattern's designs, whatever its fusions and its streams `x1`, `x2`, ... are called."""
        return any(True for _ in self.readings(graph))

    def readings(self, graph: Design) -> Iterator[tuple[Mapping[str, str], Mapping[str, int | str]]]:
        """Give, for each way in which the pattern stands for a design, its name of each part -> the design's, and letter -> depth."""
        if self.training in (None, graph.training):
            by_name = {fusion.name: fusion for fusion in self.fusions}
            yield from readings(self.streams, [by_name[name] for name in self._order], self.outputs, graph)


def _parts_of(
    document: Document,
) -> tuple[tuple[PatternStream, ...], tuple[PatternFusion, ...], tuple[PatternOutput, ...], Training | None]:
    streams = {item.name: PatternStream(item.name, item.modality, item.encoder, _params_of(item), item.tie) for item in document.streams}
    fusions = tuple(
        PatternFusion(item.name, item.operator, tuple(_tap(arg) for arg in item.args), item.params, item.trunk) for item in document.fusions
    )
    outputs = tuple(PatternOutput(_tap(item.tap), item.task) for item in document.outputs)
    names = {fusion.name for fusion in fusions}
    for tap in [arg for fusion in fusions for arg in fusion.args] + [output.source for output in outputs]:
        if tap.source not in names and tap.source != UNKNOWN:
            streams.setdefault(tap.source, PatternStream(tap.source))
    return tuple(streams.values()), fusions, outputs, document.training  # type: ignore[return-value]  # checked on construction


def _params_of(item: StreamItem) -> Mapping[str, Value]:
    """Return the parameters that a stream has to have: of a size, what it stands for."""
    if item.encoder is None or item.encoder not in ENCODERS:
        return item.params
    return ENCODERS[item.encoder].without_size(item.params, f"encoder {item.encoder!r} of stream {item.name!r}")


def _tap(item: TapItem) -> PatternTap:
    return PatternTap(item.source, "L" if item.depth is None else item.depth, item.port)


def _place_of(document: Document, error: RuleError) -> Place | None:
    for item in document.fusions:
        if item.name == error.part:
            return item.args[error.arg].place if error.arg is not None else item.place
    return next((item.place for item in document.streams if item.name == error.part), None)
