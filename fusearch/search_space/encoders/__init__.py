"""The encoders of fusearch, as data. Importing this package registers them; their networks live in `fusearch.evaluators.encoders`."""

from __future__ import annotations

from collections.abc import Iterable

from fusearch.data.modality import Modality
from fusearch.errors import SpaceError
from fusearch.search_space.encoders import graphs, images, raw, sequences, sets, tables, videos
from fusearch.search_space.encoders.raw import FLATTEN, IDENTITY
from fusearch.search_space.entries.encoder import ENCODERS, POOL

__all__ = [
    "FLATTEN",
    "IDENTITY",
    "POOL",
    "check_installed",
    "default_encoder",
    "encoders_for",
    "graphs",
    "images",
    "offered_encoders",
    "raw",
    "sequences",
    "sets",
    "tables",
    "videos",
]


def default_encoder(modality: Modality) -> str:
    """Return the encoder of a stream that names none."""
    return modality.layout.encoder


def offered_encoders(modality: Modality) -> tuple[str, ...]:
    """Return the encoders, with the parameters that are fixed, that a space offers for a modality where it is told none."""
    return modality.encoders or (default_encoder(modality),)


def encoders_for(modality: Modality) -> tuple[str, ...]:
    """Return the names of all registered encoders that read the modality's kind."""
    return tuple(encoder.name for encoder in ENCODERS.values() if encoder.reads(modality.kind))


def check_installed(modality: Modality, names: Iterable[str]) -> None:
    """Refuse encoders of a modality whose networks need a package that is not installed.

    Raises:
        SpaceError: One does; the message says what installs it, and which encoders need nothing.
    """
    for name in names:
        lacks = ENCODERS[name].lacks
        if lacks is not None:
            able = [other for other in encoders_for(modality) if ENCODERS[other].lacks is None]
            raise SpaceError(f"modality {modality.name!r}: {lacks}; encoders without it: {', '.join(able)}")
