"""Skips tests of networks whose packages are not installed."""

from __future__ import annotations

import pytest

from fusearch.search_space import ENCODERS, FusionGraph

__all__ = ["need_encoders", "need_streams"]


def need_encoders(*names: str) -> None:
    """Skip the test where the network of one of these encoders cannot be built."""
    for lacks in (ENCODERS[name].lacks for name in names):
        if lacks is not None:
            pytest.skip(lacks)


def need_streams(graph: FusionGraph) -> None:
    """Skip the test where the network of a stream cannot be built."""
    need_encoders(*(stream.encoder for stream in graph.streams))
