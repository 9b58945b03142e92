from __future__ import annotations

import math

import pytest
from strategies import SMALL, WIDE

from fusearch.data.modality import Modality
from fusearch.search_space import SearchSpace
from fusearch.search_space.space.counting import Size, count_designs

TABLES = (Modality("a", "tabular", (3,)), Modality("b", "tabular", (3,)))


def test_one_modality_has_one_design_an_encoder() -> None:
    assert SearchSpace(TABLES[:1]).size().exact == 3  # an MLP of one, two or three layers


@pytest.mark.parametrize("operators", [["sum"], ["cat", "film"]])
@pytest.mark.parametrize("max_trunk", [0, 1])
def test_functions_are_counted(operators: list[str], max_trunk: int) -> None:
    space = SearchSpace(TABLES, operators=operators, max_fusions=1, max_trunk=max_trunk, scores=False)
    alone = 2 * 3
    # Per operator a tap at each depth of either, as no encoder is longer than what is read of it; film has either argument first.
    joined = 4 * 4 * sum(2 if name == "film" else 1 for name in operators) * (max_trunk + 1)
    size = space.size()
    assert size.exact == alone + joined
    assert size.log10 == pytest.approx(math.log10(alone + joined))
    assert "enumeration" in size.method
    assert str(size) == f"{alone + joined:,} designs"


@pytest.mark.slow
def test_large_spaces_are_estimated_and_larger_ones_are_larger() -> None:
    small, wide = SMALL.size(), WIDE.size()
    assert small.exact is wide.exact is None
    assert small.log10 < wide.log10
    assert "Knuth" in wide.method
    assert str(wide) == f"about 10^{wide.log10:.1f} designs"
    assert count_designs(SMALL.settings) == small


ESTIMATED = {
    "encoders longer than what is read": SearchSpace(TABLES, operators=["sum", "product"], max_fusions=1, scores=False),
    "fusions in several orders": SearchSpace(
        TABLES, operators=["product", "low_rank(rank=2)"], encoders=["mlp(layers=1)"], max_fusions=3, max_trunk=0, scores=False
    ),
    "streams in several orders": SearchSpace(
        TABLES[:1], operators=["sum", "film"], encoders=["mlp(layers=1)", "mlp(layers=2)"], max_streams=3, max_fusions=1, scores=False
    ),
    "a pattern": SearchSpace(
        TABLES, encoders=["mlp(layers=1)"], operators=["cat", "sum"], max_trunk=1, pattern="F1 = ⊕(?^k, ?^?); F2 = ⊞(F1^?, ?^1) ->"
    ),
}


@pytest.mark.parametrize(
    "space", [pytest.param(space, marks=pytest.mark.slow if "several" in name else (), id=name) for name, space in ESTIMATED.items()]
)
def test_the_estimate_is_close_to_the_count(space: SearchSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = space.size()
    monkeypatch.setattr("fusearch.search_space.space.counting.MAX_ENUMERATED", 0)
    estimate = space.size()
    assert exact.exact is not None
    assert estimate.exact is None
    # What leads to one design several ways counts once.
    assert estimate.log10 == pytest.approx(exact.log10, abs=0.1)


def test_sizes_print() -> None:
    assert str(Size(3.0, 1000, "m")) == "1,000 designs"
