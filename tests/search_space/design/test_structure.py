from __future__ import annotations

import pytest

from fusearch.search_space import Fusion, Tap
from fusearch.search_space.design.parts import RuleError
from fusearch.search_space.design.structure import check_uses, coverage, fusion_depths, topological_order


def fusion(name: str, *sources: str) -> Fusion:
    return Fusion(name, "cat", tuple(Tap(source, 0) for source in sources))


CHAIN = (fusion("F3", "F2", "c"), fusion("F1", "a", "b"), fusion("F2", "F1", "b"))
BY_NAME = {item.name: item for item in CHAIN}


def test_topological_order_puts_sources_first() -> None:
    assert topological_order(CHAIN, ["a", "b", "c"]) == ("F1", "F2", "F3")


def test_coverage_and_depths() -> None:
    order = ("F1", "F2", "F3")
    assert coverage(order, BY_NAME, ["a", "b", "c"])["F3"] == {"a", "b", "c"}
    assert fusion_depths(order, BY_NAME) == {"F1": 1, "F2": 2, "F3": 3}


def test_a_cycle_is_named_with_its_path() -> None:
    loop = (fusion("F1", "a", "F3"), fusion("F2", "F1", "b"), fusion("F3", "F2", "b"))
    with pytest.raises(RuleError, match="F1 <- F3 <- F2 <- F1") as caught:
        topological_order(loop, ["a", "b"])
    assert (caught.value.part, caught.value.arg) == ("F2", 0)
    with pytest.raises(RuleError, match="F1 <- F1"):
        topological_order((fusion("F1", "a", "F1"),), ["a"])


def test_unknown_sources() -> None:
    with pytest.raises(RuleError, match="takes 'ab', which is no stream and no fusion: did you mean 'abc'"):
        topological_order((fusion("F1", "ab", "x"),), ["abc", "x"])


def test_uses() -> None:
    order, streams = ("F1", "F2", "F3"), ["a", "b", "c"]
    covered = coverage(order, BY_NAME, streams)
    check_uses(order, BY_NAME, streams, ["F3"], covered)
    with pytest.raises(RuleError, match="F3 is unused"):
        check_uses(order, BY_NAME, streams, ["F2"], covered)
    with pytest.raises(RuleError, match="no output: mark one"):
        check_uses(order, BY_NAME, streams, [], covered)
    with pytest.raises(RuleError, match="stream 'd' is unused"):
        check_uses(order, BY_NAME, [*streams, "d"], ["F3"], covered)
    check_uses(order, BY_NAME, [*streams, "d"], ["F3"], covered, tied=["d"])
