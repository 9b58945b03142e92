from __future__ import annotations

import pytest

from fusearch.errors import DesignError
from fusearch.search_space.entries.operator import FAMILIES_BY_SYMBOL, SYMBOLS, Operator


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
    ],
)
def test_contradictions_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        Operator(**{"name": "op", "family": "tensor", **wrong})  # type: ignore[arg-type]  # the point of the test
