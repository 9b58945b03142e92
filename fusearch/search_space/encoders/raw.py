"""Encoders without stages: the input goes into a fusion as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fusearch.search_space.entries.encoder import ENCODERS, Chain, Encoder
from fusearch.search_space.entries.parameter import Value

__all__ = ["FLATTEN", "IDENTITY", "shortened"]

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
        tokens="one",
        num_stages=lambda _: 0,
        stages="none: the whole raw sample as one token, so that a linear head is a linear model of every value",
    ),
)


def shortened(name: str, count: str) -> Callable[[Mapping[str, Value], int], Chain]:
    """Return `Encoder.first_stages` of an encoder that is as long as its parameter `count` says, each stage whatever follows it."""

    def first_stages(params: Mapping[str, Value], depth: int) -> Chain:
        return (name, {**params, count: depth}) if depth else (IDENTITY.name, {})

    return first_stages
