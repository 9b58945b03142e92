from __future__ import annotations

import pytest

from fusearch.errors import DesignError
from fusearch.search_space.entries.operator import FAMILIES_BY_SYMBOL, SYMBOLS, Operator
from fusearch.search_space.entries.parameter import Param


def test_every_symbol_leads_back_to_its_families() -> None:
    assert {family for families in FAMILIES_BY_SYMBOL.values() for family in families} == set(SYMBOLS)
    assert FAMILIES_BY_SYMBOL["⊞"] == ("tensor", "decision")


def test_arity() -> None:
    operator = Operator("op", "tensor", min_args=2, max_args=3)
    assert [operator.takes(number) for number in (1, 2, 3, 4)] == [False, True, True, False]
    assert Operator("op", "tensor").takes(99)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "a b"}, "expected letters"),
        ({"family": "sensor"}, "expected one of"),
        ({"min_args": 1}, "expected two or more"),
        ({"max_args": 1}, "expected two or more"),
        ({"keeps": "each"}, "has no ports"),
        ({"classifies": True}, "has no parameter 'classes'"),
        ({"symmetric_where": {"pool": ("mean",)}}, "has no parameter 'pool'"),
    ],
)
def test_contradictions_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        Operator(**{"name": "op", "family": "tensor", **wrong})  # type: ignore[arg-type]  # the point of the test


def test_the_order_may_matter_for_some_values_of_a_parameter() -> None:
    operator = Operator("op", "tensor", params={"pool": Param("mean", ("mean", "none"))}, symmetric_where={"pool": ("mean",)})
    assert [operator.commutes({"pool": pool}) for pool in ("mean", "none")] == [True, False]
    assert Operator("op", "tensor", symmetric=True).commutes({})
