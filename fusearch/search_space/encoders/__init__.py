"""The encoders of fusearch, as data. Importing this package registers them; their networks live in `fusearch.evaluators.encoders`."""

from __future__ import annotations

from fusearch.data.modality import Modality
from fusearch.search_space.encoders import images, raw, sequences, sets, tables, videos
from fusearch.search_space.encoders.raw import FLATTEN, IDENTITY
from fusearch.search_space.entries.encoder import ENCODERS, POOL

__all__ = [
    "FLATTEN",
    "IDENTITY",
    "POOL",
    "default_encoder",
    "encoders_for",
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
