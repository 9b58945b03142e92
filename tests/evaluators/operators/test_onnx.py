"""Every operator as an ONNX file; a few by default, all of them with `-m slow`."""

from __future__ import annotations

import pytest

from fusearch.search_space.operators import OPERATORS
from fusearch.testing import OperatorSuite

#: One of each kind of computation that exporters stumble over: complex numbers, masked softmax, sorting.
FEW = ("compact_bilinear", "cross_attention", "vote_majority")


def check(name: str) -> None:
    suite = OperatorSuite()
    suite.name = name
    suite.check_onnx()


@pytest.mark.parametrize("name", FEW)
def test_the_file_gives_the_same(name: str) -> None:
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in OPERATORS if name not in FEW])
def test_the_file_of_every_other_operator_gives_the_same(name: str) -> None:
    check(name)
