"""Turns a parsed formula into the parts of a design, and errors about parts into places in the formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.errors import FormulaError, suggestion
from fusearch.search_space.design.parts import AUTO, TRAININGS, Fusion, Output, RuleError, Stream, Tap, Training, Trunk
from fusearch.search_space.encoders import default_encoder
from fusearch.search_space.entries.encoder import ENCODERS
from fusearch.search_space.entries.operator import FAMILIES_BY_SYMBOL, OPERATORS, SYMBOLS
from fusearch.search_space.notation.parser import parse_document
from fusearch.search_space.notation.syntax import Document, FusionItem, Place, StreamItem, TapItem

__all__ = ["Draft", "PatternFoundError", "is_unknown_depth", "read_design"]


class PatternFoundError(FormulaError):
    """A formula that leaves something unknown where a design was expected."""


@dataclass
class Draft:
    """The parts of a design as a formula gives them, and the places where they stand."""

    modalities: tuple[Modality, ...] = ()
    streams: tuple[Stream, ...] = ()
    fusions: tuple[Fusion, ...] = ()
    outputs: tuple[Output, ...] = ()
    training: Training = "joint"
    places: dict[tuple[str, int | None], Place] = field(default_factory=dict)

    def locate(self, error: RuleError) -> FormulaError:
        """Return the same error with the line and a caret under the part at fault."""
        place = self.places.get((error.part, error.arg)) or self.places.get((error.part, None))
        if place is None:
            return FormulaError(str(error))
        return FormulaError(str(error), place.line, place.column)


def read_design(text: str, modalities: Sequence[Modality] = ()) -> Draft:
    """Read the parts of a design from a formula.

    Raises:
        FormulaError: The text does not fit the grammar, names something unknown, or is a pattern.
    """
    document = parse_document(text)
    draft = Draft()
    if document.training is not None:
        place = document.training_place or Place(text, 0)
        if document.training not in TRAININGS:
            hint = suggestion(document.training, TRAININGS)
            raise FormulaError(f"unknown training {document.training!r}: {hint}", place.line, place.column)
        draft.training = document.training
        draft.places["train", None] = place
    draft.fusions = tuple(_fusion(item, draft) for item in document.fusions)
    items = _stream_items(document, modalities)
    draft.modalities = _modalities(items, modalities)
    by_name = {modality.name: modality for modality in draft.modalities}
    draft.streams = tuple(_stream(item, by_name) for item in items)
    for stream in items:
        draft.places[stream.name, None] = stream.place
    outputs = []
    for index, output in enumerate(document.outputs):
        draft.places["->", index] = output.tap.place
        if output.tap.depth is None and output.tap.source not in {fusion.name for fusion in document.fusions}:
            message = f"output {output.tap.source!r}: expected a depth, {output.tap.source}@L or {output.tap.source}@score"
            raise FormulaError(message, output.tap.place.line, output.tap.place.column)
        tap = TapItem(output.tap.source, output.tap.depth if output.tap.depth is not None else "L", output.tap.place, output.tap.port)
        outputs.append(Output(_tap(tap), output.task))
    draft.outputs = tuple(outputs)
    return draft


def is_unknown_depth(depth: int | str | None) -> bool:
    """Whether a depth is a letter or `?`, which only a pattern may hold."""
    return isinstance(depth, str) and depth not in ("L", "score", "*")


def _refuse_pattern(what: str, place: Place) -> PatternFoundError:
    return PatternFoundError(f"{what}, so this is a pattern, not a design: read it with FusionPattern.parse", place.line, place.column)


def _fusion(item: FusionItem, draft: Draft) -> Fusion:
    place = item.operator_place
    if item.operator == "?" or item.operator in FAMILIES_BY_SYMBOL or (item.operator in SYMBOLS and item.operator not in OPERATORS):
        raise _refuse_pattern(f"operator {item.operator!r} names no single operator", place)
    if item.operator not in OPERATORS:
        raise FormulaError(f"unknown operator {item.operator!r}: {suggestion(item.operator, OPERATORS)}", place.line, place.column)
    draft.places[item.name, None] = item.place
    for index, arg in enumerate(item.args):
        draft.places[item.name, index] = arg.place
    args = tuple(_tap(arg) for arg in item.args)
    return Fusion(item.name, item.operator, args, item.params, item.trunk or Trunk("fc", AUTO))


def _tap(item: TapItem) -> Tap:
    if item.source == "?":
        raise _refuse_pattern("the source is unknown", item.place)
    if is_unknown_depth(item.depth) or item.depth is None:
        raise _refuse_pattern(f"depth {item.depth!r} of {item.source!r} is unknown", item.place)
    return Tap(item.source, item.depth, item.port)  # type: ignore[arg-type]  # a number, L, score or *


def _stream_items(document: Document, modalities: Sequence[Modality]) -> list[StreamItem]:
    """Return the streams of the header, and those that the formulas take beyond it: streams named like a modality."""
    items = list(document.streams)
    known = {item.name for item in items} | {fusion.name for fusion in document.fusions}
    names = {modality.name for modality in modalities}
    for tap in [arg for fusion in document.fusions for arg in fusion.args] + [output.tap for output in document.outputs]:
        if tap.source not in known:
            if tap.source not in names:
                hint = suggestion(tap.source, sorted(known | names))
                raise FormulaError(f"{tap.source!r} is no stream, fusion or modality: {hint}", tap.place.line, tap.place.column)
            known.add(tap.source)
            items.append(StreamItem(tap.source, tap.place, tap.source))
    return items


def _modalities(items: Sequence[StreamItem], modalities: Sequence[Modality]) -> tuple[Modality, ...]:
    """Return the given modalities or, without any, one for each that the header names, its kind guessed from name and encoder."""
    if modalities:
        return tuple(modalities)
    guessed: dict[str, Modality] = {}
    for item in items:
        name = item.modality or item.name
        if item.encoder is None or item.encoder not in ENCODERS:
            what = f"unknown encoder {item.encoder!r}: {suggestion(item.encoder, ENCODERS)}" if item.encoder else "no encoder"
            raise FormulaError(f"stream {item.name!r}: {what}; expected {item.name}:ENCODER", item.place.line, item.place.column)
        encoder = ENCODERS[item.encoder]
        hinted = [kind.name for kind in KINDS.values() if name in (kind.word, kind.name) and encoder.reads(kind.name)]
        kind = hinted[0] if hinted else min(encoder.kinds, key=lambda kind: not KINDS[kind].columns)
        if name not in guessed or not encoder.reads(guessed[name].kind):
            guessed[name] = Modality(name, kind)
    return tuple(guessed.values())


def _stream(item: StreamItem, modalities: Mapping[str, Modality]) -> Stream:
    name = item.modality or item.name
    if name not in modalities:
        message = f"stream {item.name!r}: unknown modality {name!r}, {suggestion(name, modalities)}"
        raise FormulaError(message, item.place.line, item.place.column)
    return Stream(item.name, name, item.encoder or default_encoder(modalities[name]), item.params, item.tie)
