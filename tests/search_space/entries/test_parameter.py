from __future__ import annotations

import pickle

import pytest

from fusearch.errors import DesignError
from fusearch.search_space import Param, Params, Value, complete_params


def test_defaults_are_filled_in_and_types_follow_them() -> None:
    params = {"heads": Param(4, (2, 4), minimum=1), "rate": Param(0.5), "on": Param(False), "kind": Param("a", ("a", "b"))}
    assert complete_params({"rate": 1, "on": 1}, params, "here") == {"heads": 4, "rate": 1.0, "on": True, "kind": "a"}


@pytest.mark.parametrize(
    ("param", "value", "message"),
    [
        (Param(4, minimum=1), 0, "expected at least 1"),
        (Param(4, maximum=8), 9, "expected at most 8"),
        (Param(4), 1.5, "expected a whole number such as 4"),
        (Param(4), True, "expected a value such as 4"),
        (Param(4), "x", "expected a value such as 4"),
        (Param("sum", ("sum", "cat")), "summ", "did you mean 'sum'"),
        (Param(True), "yes", "expected a value such as True"),
    ],
)
def test_illegal_values(param: Param, value: Value, message: str) -> None:
    with pytest.raises(DesignError, match=message):
        param.check(value, "parameter 'p'")


def test_unknown_parameter() -> None:
    with pytest.raises(DesignError, match="here: unknown parameter 'head', did you mean 'heads'"):
        complete_params({"head": 1}, {"heads": Param(1)}, "here")


def test_params_are_an_immutable_mapping() -> None:
    params = Params({"a": 1, "b": "x"})
    assert params == {"b": "x", "a": 1}
    assert hash(params) == hash(Params({"b": "x", "a": 1}))
    assert pickle.loads(pickle.dumps(params)) == params
    with pytest.raises(TypeError):
        params["a"] = 2  # type: ignore[index]  # the point of the test
