from __future__ import annotations

import pytest

from fusearch.errors import FormulaError, UnknownNameError
from fusearch.search_space import PUBLISHED, FusionGraph, FusionPattern


@pytest.mark.parametrize("number", list(PUBLISHED))
def test_the_54_printed_formulas_are_printed_as_they_stand(number: int) -> None:
    printed = PUBLISHED[number].printed
    pattern = FusionPattern.parse(printed)
    assert str(pattern) == printed
    assert FusionPattern.parse(str(pattern)) == pattern


def test_ascii_is_read_as_well() -> None:
    typed = FusionPattern.parse("F1 = concatenation(x1@3, x2@y2+1)\nF2 = attention(F1@*, x1@?) ->")
    assert typed == FusionPattern.parse("F1 = ⊕(x1^3, x2^y2+1)\nF2 = 𝔸(F1^*, x1^?) →")


@pytest.mark.parametrize(
    "text",
    [
        "a:mlp(layers=3) | b = m:cnn(tie=a) | c\nF1 = cat(a^L, b^1, c^0; align=true, trunk=conv:2) → grade\na^score → aux\nF1.a^L →",
        "train = staged\nF1 = ?(?^?, x2^x; trunk=fc)\nF2 = sum(F1^0, x1^2; trunk=continue(x1)) →",
    ],
)
def test_printing_and_parsing_are_inverse(text: str) -> None:
    pattern = FusionPattern.parse(text)
    assert FusionPattern.parse(str(pattern)) == pattern


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("F1 = ⊕(x1^1, F2^0)\nF2 = ⊕(F1^0, x2^1) →", "cycle"),
        ("F1 = ⊕(x1^1) →", "expected two or more"),
        ("F1 = ⊕(x1^1, x2^1)\nF2 = ⊕(x1^1, x2^1) →", "F1 is unused"),
        ("F1 = ⊕(x1^X, x2^1) →", "expected a depth"),
        ("F1 = ⊕(x1^1, x2^1)\nF1 = ⊕(x1^1, x2^1) →", "two parts are called 'F1'"),
    ],
)
def test_broken_patterns_are_shown(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message) as caught:
        FusionPattern.parse(text)
    assert caught.value.column is not None
    with pytest.raises(UnknownNameError, match="unknown operator 'catt'"):
        FusionPattern.parse("F1 = catt(x1^1, x2^1) →")


def test_a_pattern_is_no_design() -> None:
    for text in ("F1 = ⊕(a@1, b@1) ->", "F1 = cat(a@x, b@1) ->", "F1 = ?(a@1, b@1) ->", "F1 = cat(?@1, b@1) ->"):
        with pytest.raises(FormulaError, match="a pattern, not a design") as caught:
            FusionGraph.parse("a:mlp | b:mlp\n" + text)
        assert caught.value.text == text
