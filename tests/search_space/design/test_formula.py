import pytest

from fusearch.data.modality import Modality
from fusearch.errors import FormulaError
from fusearch.search_space import FusionGraph, FusionPattern, parse

MODALITIES = (Modality("a", "tabular", (3,)), Modality("b", "tabular", (4,)))


def test_a_design() -> None:
    assert isinstance(parse("F1 = cat(a@L, b@L) ->", MODALITIES), FusionGraph)


@pytest.mark.parametrize("text", ["F1 = ?(a@L, b@L) ->", "F1 = cat(a@x, b@y) ->", "F1 = ⊕(a^1, b^2) →"])
def test_a_pattern_over_known_modalities(text: str) -> None:
    assert isinstance(parse(text, MODALITIES), FusionPattern)


def test_without_modalities_streams_without_encoders_make_a_pattern() -> None:
    assert isinstance(parse("F1 = ⊕(x1^3, x2^3) →"), FusionPattern)


@pytest.mark.parametrize(("text", "modalities"), [("F1 = cat(a@L, c@L) ->", MODALITIES), ("F1 = catt(a@L, b@L) ->", ()), ("F1 = cat(", ())])
def test_neither_is_one_error(text: str, modalities: tuple[Modality, ...]) -> None:
    with pytest.raises(FormulaError):
        parse(text, modalities)
