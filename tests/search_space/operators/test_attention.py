"""The entries of attention."""

from __future__ import annotations

import pytest

from fusearch.search_space.operators import OPERATORS

NAMES = (
    "bottleneck",
    "channel_gate",
    "co_attention",
    "context_attention",
    "cross_attention",
    "high_order_gate",
    "modality_attention",
    "modality_spatial_attention",
    "self_attention",
    "spatial_gate",
    "spatial_max_gate",
)


def test_the_family_is_complete() -> None:
    assert {name for name in OPERATORS if OPERATORS[name].family == "attention"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_tells_all(name: str) -> None:
    operator = OPERATORS[name]
    assert operator.symbol == "𝔸"
    assert operator.equation
    assert operator.absent
    assert operator.reference
    for param in operator.params.values():
        assert param.default in param.choices or not param.choices


def test_gates_keep_the_stream_that_they_gate() -> None:
    kept = {name for name in NAMES if OPERATORS[name].keeps == "first"}
    assert {name for name in NAMES if name.endswith("_gate")} < kept
    assert kept == {"channel_gate", "context_attention", "cross_attention", "high_order_gate", "spatial_gate", "spatial_max_gate"}


def test_a_gate_over_positions_needs_positions() -> None:
    assert {name for name in NAMES if OPERATORS[name].needs_grid} == {"spatial_gate", "spatial_max_gate"}
