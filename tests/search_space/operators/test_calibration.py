"""The entries of calibration."""

from __future__ import annotations

import pytest

from fusearch.search_space.operators import OPERATORS

NAMES = ("confidence_gate", "dynamic_mlp", "expert_gated_unit", "film", "gated_unit", "input_gate", "mifm", "mmtm")


def test_the_family_is_complete() -> None:
    assert {name for name in OPERATORS if OPERATORS[name].family == "calibration"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_tells_all(name: str) -> None:
    operator = OPERATORS[name]
    assert operator.symbol == "𝕊"
    assert operator.equation
    assert operator.absent
    assert operator.reference
    for param in operator.params.values():
        assert param.default in param.choices or not param.choices


def test_a_result_of_its_own_is_the_exception() -> None:
    assert {name for name in NAMES if OPERATORS[name].keeps == "none"} == {"confidence_gate", "gated_unit"}
    assert {name for name in NAMES if OPERATORS[name].ports} == {"mifm", "mmtm"}


def test_units_of_experts_take_two_states_and_two_inputs() -> None:
    assert [count for count in range(2, 7) if OPERATORS["expert_gated_unit"].takes(count)] == [4]
