"""Encoders without stages: the input goes into a fusion as it is."""

from __future__ import annotations

from fusearch.search_space.entries.encoder import ENCODERS, Encoder

__all__ = ["FLATTEN", "IDENTITY"]

IDENTITY = ENCODERS.add(
    "identity",
    Encoder(
        "identity",
        ("tabular",),
        any_kind=True,
        num_stages=lambda _: 0,
        stages="none: a table is one token of its columns; images and series keep their positions as tokens",
    ),
)

FLATTEN = ENCODERS.add(
    "flatten",
    Encoder(
        "flatten",
        ("tabular",),
        any_kind=True,
        num_stages=lambda _: 0,
        stages="none: the whole raw sample as one token, so that a linear head is a linear model of every value",
    ),
)
