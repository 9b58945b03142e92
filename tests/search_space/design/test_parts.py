from __future__ import annotations

import pytest

from fusearch.errors import DesignError
from fusearch.search_space import Fusion, Output, Stream, Tap, Trunk


@pytest.mark.parametrize("name", ["", "1a", "a b", "a-b", "é", "train", "L", "score"])
def test_names_have_to_fit_into_a_formula(name: str) -> None:
    with pytest.raises(DesignError, match="stream"):
        Stream(name, "m", "mlp")
    with pytest.raises(DesignError, match="fusion"):
        Fusion(name, "cat", ())
    with pytest.raises(DesignError, match="task"):
        Output(Tap("a", "L"), name)


def test_trunks() -> None:
    with pytest.raises(DesignError, match="trunk family 'fcc': did you mean 'fc'"):
        Trunk("fcc")  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(DesignError, match="expected a stream for 'continue', and only there"):
        Trunk("continue")
    with pytest.raises(DesignError, match="only there"):
        Trunk("fc", 1, "a")
    with pytest.raises(DesignError, match="trunk of -2 stages"):
        Trunk("fc", -2)


def test_taps_print_as_in_a_formula() -> None:
    assert str(Tap("F1", 2, "cxr")) == "F1.cxr@2"
    assert str(Tap("cxr", "score")) == "cxr@score"
    with pytest.raises(DesignError, match="depth -1 of 'a': expected 0 or more"):
        Tap("a", -1)


def test_parts_are_values() -> None:
    assert len({Stream("a", "m", "mlp", {"layers": 2}), Stream("a", "m", "mlp", {"layers": 2}), Stream("a", "m", "mlp")}) == 2
