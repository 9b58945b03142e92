"""The entries of knowledge sharing."""

from __future__ import annotations

import pytest

from fusearch.search_space.operators import OPERATORS

NAMES = ("contrastive", "cross_stitch", "distribution_match", "manifold", "orthogonal", "shared_bottleneck", "shared_private")


def test_the_family_is_complete() -> None:
    assert {name for name in OPERATORS if OPERATORS[name].family == "sharing"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_tells_all(name: str) -> None:
    operator = OPERATORS[name]
    assert operator.symbol == "⇌"
    assert operator.equation
    assert operator.absent
    assert operator.reference
    for param in operator.params.values():
        assert param.default in param.choices or not param.choices


def test_each_modality_keeps_a_result() -> None:
    assert all(OPERATORS[name].ports and OPERATORS[name].symmetric for name in NAMES)


def test_what_is_shared_by_weights_adds_no_loss() -> None:
    assert {name for name in NAMES if not OPERATORS[name].adds_loss} == {"cross_stitch", "shared_bottleneck"}
