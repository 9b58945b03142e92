from __future__ import annotations

import pytest

from fusearch.errors import FormulaError
from fusearch.search_space import Trunk
from fusearch.search_space.notation.tokens import tokenize
from fusearch.search_space.notation.values import ParamReader


def reader(text: str) -> ParamReader:
    return ParamReader(text, tokenize(text, 0, len(text)))


def test_values_keep_their_types() -> None:
    params, trunk, tie = reader("a=1, b=-2.5, c=true, d=False, e=mean_per_stream, trunk=conv:2)").read_params(
        closing=")", allowed=("trunk",)
    )
    assert params == {"a": 1, "b": -2.5, "c": True, "d": False, "e": "mean_per_stream"}
    assert isinstance(params["a"], int)
    assert trunk == Trunk("conv", 2)
    assert tie is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=1, a=2)", "parameter 'a' stands there twice"),
        ("trunk=fc, trunk=fc)", "parameter 'trunk' stands there twice"),
        ("a=)", r"expected a number or a word, found '\)'"),
        ("a)", r"expected '=', found '\)'"),
        ("a=1 b=2)", r"expected ',' or '\)', found 'b'"),
        ("trunk=fx)", "unknown trunk 'fx': did you mean 'fc'"),
        ("trunk=fc:1.5)", "trunk of 1.5 stages, expected a whole number"),
        ("trunk=fc:999999999)", "trunk of 999999999 stages: expected 0 to 100"),
        ("trunk=continue)", "the stream that continues"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message) as caught:
        reader(text).read_params(closing=")", allowed=("trunk",))
    assert caught.value.column is not None
