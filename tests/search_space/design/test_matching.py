from __future__ import annotations

import pytest

from fusearch.search_space import FusionGraph, FusionPattern

GRAPH = FusionGraph.parse(
    "a:mlp(layers=3) | b:ft_transformer | c:mlp\nF1 = cross_attention(a@2, b@2; heads=2)\nF2 = sum(F1@1, c@2, a@3; trunk=conv:2) ->"
)


@pytest.mark.parametrize(
    "text",
    [
        "F1 = 𝔸(x1^2, x2^2)\nF2 = ⊞(F1^1, x3^2, x1^3) →",
        "J = 𝔸(x9^2, x2^2)\nTop = ⊞(x9^3, J^1, x3^2) →",  # other names; sum is symmetric
        "F1 = 𝔸(x1^y, x2^y)\nF2 = ⊞(F1^z, x3^y, x1^y+1) →",
        "F1 = ?(a^?, b^?)\nF2 = ?(F1^?, c^L, a^L) →",
        "F1 = ?(?^?, ?^?)\nF2 = ?(?^?, ?^?, ?^?) →",
        "x1 = a:mlp(layers=3)\nF1 = cross_attention(x1^2, x2^2; heads=2, trunk=fc)\nF2 = sum(F1^1, x3^2, x1^3; trunk=conv:2) →",
    ],
)
def test_patterns_of_a_design(text: str) -> None:
    assert FusionPattern.parse(text).matches(GRAPH)


@pytest.mark.parametrize(
    "text",
    [
        "F1 = 𝔸(x1^2, x2^2)\nF2 = ⊕(F1^1, x3^2, x1^3) →",  # another class
        "F1 = 𝔸(x1^2, x2^2)\nF2 = ⊞(F1^1, x3^2, x2^3) →",  # another stream
        "F1 = 𝔸(x1^2, x2^2)\nF2 = ⊞(F1^1, x3^2) →",  # fewer arguments
        "F1 = 𝔸(x1^y, x2^y)\nF2 = ⊞(F1^y, x3^2, x1^3) →",  # one letter, two depths
        "F1 = 𝔸(x1^y, x2^y+1)\nF2 = ⊞(F1^1, x3^2, x1^3) →",
        "F1 = ?(b^?, a^?)\nF2 = ?(F1^?, c^L, a^L) →",  # cross attention is not symmetric
        "x1 = b:mlp\nF1 = 𝔸(x1^2, x2^2)\nF2 = ⊞(F1^1, x3^2, x1^3) →",  # x1 would have to be b
        "x1 = a:mlp(layers=2)\nF1 = 𝔸(x1^2, x2^2)\nF2 = ⊞(F1^1, x3^2, x1^3) →",
        "F1 = cross_attention(x1^2, x2^2; heads=1)\nF2 = ⊞(F1^1, x3^2, x1^3) →",
        "F1 = 𝔸(x1^2, x2^2)\nF2 = ⊞(F1^1, x3^2, x1^3; trunk=fc:2) →",
        "train = staged\nF1 = 𝔸(x1^2, x2^2)\nF2 = ⊞(F1^1, x3^2, x1^3) →",
        "F1 = 𝔸(x1^2, x2^2)\nF2 = ⊞(F1^1, x3^2, x1^3) → grade",
        "F1 = 𝔸(x1^2, x2^2) →\nF2 = ⊞(F1^1, x3^2, x1^3) →",
    ],
)
def test_patterns_of_other_designs(text: str) -> None:
    assert not FusionPattern.parse(text).matches(GRAPH)


def test_a_wide_symmetric_fusion_is_matched_at_once() -> None:
    names = [f"s{number}" for number in range(9)]
    header = " | ".join(f"{name} = m{name}:mlp" for name in names)
    graph = FusionGraph.parse(f"{header}\nF1 = cat({', '.join(f'{name}@{1 + (name == names[4])}' for name in names)}) ->")
    fitting = ", ".join(f"x{number}^{1 + (number == 8)}" for number in range(1, 10))
    assert FusionPattern.parse(f"F1 = ⊕({fitting}) →").matches(graph)
    assert not FusionPattern.parse(f"F1 = ⊕({fitting.replace('^2', '^0')}) →").matches(graph)
