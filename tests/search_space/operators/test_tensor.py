"""The entries of the tensor operations."""

from __future__ import annotations

import pytest

from fusearch.errors import DesignError
from fusearch.search_space.operators import OPERATORS
from fusearch.search_space.parameter import Value, complete_params

NAMES = (
    "bilinear",
    "bilinear_attention",
    "compact_bilinear",
    "difference",
    "factorized_bilinear",
    "low_rank",
    "max",
    "mean",
    "outer",
    "outer_cnn",
    "product",
    "recurrent",
    "sum",
    "tucker",
)


def test_the_family_is_complete() -> None:
    assert {name for name in OPERATORS if OPERATORS[name].family == "tensor"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_tells_all(name: str) -> None:
    operator = OPERATORS[name]
    assert operator.symbol == "⊞"
    assert operator.equation
    assert operator.absent
    assert operator.reference
    for param in operator.params.values():
        assert param.default in param.choices or not param.choices


def test_elementwise_operators_keep_the_first_shape() -> None:
    kept = {name for name in NAMES if OPERATORS[name].keeps == "first"}
    assert kept == {"sum", "mean", "product", "max", "difference"}
    assert not OPERATORS["difference"].symmetric


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("low_rank", {"rank": 0}, "parameter 'rank' is 0, expected at least 1"),
        ("low_rank", {"rank": 2.5}, "expected a whole number such as 4"),
        ("recurrent", {"cell": "lstn"}, "did you mean 'lstm'"),
        ("outer_cnn", {"kernels": 3}, "unknown parameter 'kernels', did you mean 'kernel'"),
    ],
)
def test_illegal_parameters_are_refused(name: str, given: dict[str, Value], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        complete_params(given, OPERATORS[name].params, name)
