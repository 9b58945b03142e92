"""Checks and completes the streams of a design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fusearch.data.modality import Modality
from fusearch.errors import DesignError, UnknownNameError, suggestion
from fusearch.search_space.design.parts import RuleError, Stream
from fusearch.search_space.encoders import encoders_for
from fusearch.search_space.entries.encoder import ENCODERS, Encoder
from fusearch.search_space.entries.parameter import Value, complete_params

__all__ = ["complete_streams", "count_stages"]


def complete_streams(streams: Sequence[Stream], modalities: Mapping[str, Modality]) -> dict[str, Stream]:
    """Return the streams by name, with complete parameters.

    Raises:
        RuleError: A name is taken twice, or a modality, encoder, parameter or tie is not legal.
    """
    given: dict[str, Stream] = {}
    for stream in streams:
        if stream.name in given:
            raise RuleError(f"two streams are called {stream.name!r}", stream.name)
        given[stream.name] = stream
    # Those that lend their weights come first, so that the others can take over their parameters.
    complete: dict[str, Stream] = {}
    for stream in sorted(streams, key=lambda stream: stream.tie is not None):
        complete[stream.name] = _complete(stream, given, complete, modalities)
    return {name: complete[name] for name in given}


def _complete(stream: Stream, given: Mapping[str, Stream], complete: Mapping[str, Stream], modalities: Mapping[str, Modality]) -> Stream:
    name = stream.name
    if stream.modality not in modalities:
        hint = suggestion(stream.modality, modalities)
        raise RuleError(f"stream {name!r}: unknown modality {stream.modality!r}, {hint}", name)
    modality = modalities[stream.modality]
    try:
        encoder = ENCODERS[stream.encoder]
    except UnknownNameError as error:
        raise RuleError(f"stream {name!r}: {error}", name) from None
    if not encoder.reads(modality.kind):
        fitting = ", ".join(encoders_for(modality))
        raise RuleError(f"stream {name!r}: encoder {stream.encoder!r} does not read {modality.kind}, expected one of: {fitting}", name)
    params = _stated(stream, encoder)
    if stream.tie is not None:
        lender = _lender(stream, given, complete, modalities)
        params = {**lender.params, **params}
        if params != lender.params:
            raise RuleError(f"stream {name!r} is tied to {lender.name!r} but its parameters differ: leave them out", name)
    try:
        return replace(stream, params=complete_params(params, encoder.params, f"encoder {stream.encoder!r} of stream {name!r}"))
    except RuleError:
        raise
    except DesignError as error:
        raise RuleError(str(error), name) from None


def _stated(stream: Stream, encoder: Encoder) -> dict[str, Value]:
    """Return what a stream states: of a size, what it stands for; nothing that is no part of a design at its default."""
    try:
        given = encoder.without_size(stream.params, f"encoder {stream.encoder!r} of stream {stream.name!r}")
        defaults = {name: param.default for name, param in encoder.params.items() if param.stated}
        return {name: value for name, value in given.items() if name not in defaults or value != defaults[name]}
    except DesignError as error:
        raise RuleError(str(error), stream.name) from None


def _lender(stream: Stream, given: Mapping[str, Stream], complete: Mapping[str, Stream], modalities: Mapping[str, Modality]) -> Stream:
    name, tie = stream.name, str(stream.tie)
    if tie not in given or tie == name:
        hint = suggestion(tie, [other for other in given if other != name])
        raise RuleError(f"stream {name!r} is tied to {tie!r}, which is no other stream: {hint}", name)
    if given[tie].tie is not None:
        raise RuleError(f"stream {name!r} is tied to {tie!r}, which is tied itself: tie both to {given[tie].tie!r}", name)
    lender = complete[tie]
    if lender.encoder != stream.encoder:
        raise RuleError(f"stream {name!r} is tied to {tie!r} but has encoder {stream.encoder!r}, expected {lender.encoder!r}", name)
    own, other = modalities[stream.modality], modalities[lender.modality]
    if own.kind != other.kind or (own.shape and other.shape and own.shape != other.shape):
        raise RuleError(
            f"stream {name!r} is tied to {tie!r} but {own.name!r} is {own.kind} {own.shape}, expected {other.kind} {other.shape}", name
        )
    return lender


def count_stages(stream: Stream) -> int:
    """Return the number of stages of a complete stream."""
    return ENCODERS[stream.encoder].num_stages(stream.params)
