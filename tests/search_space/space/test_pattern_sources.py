from __future__ import annotations

from strategies import MODALITIES

from fusearch.search_space import SearchSpace
from fusearch.search_space.space.pattern_sources import resolutions


def test_a_question_mark_is_filled_in_every_way_that_obeys_the_rules() -> None:
    two = SearchSpace(MODALITIES[:2], pattern="F1 = ⊕(?^0, ?^0); F2 = ⊕(F1^0, ?^0) →")
    # F1 joins the two streams in either order of naming; F2 takes either of them, or F1 once more.
    assert set(resolutions(two.settings)) == {"x1 x2 x1", "x1 x2 x2", "x1 x2 F1"}
    three = SearchSpace(MODALITIES, pattern="F1 = ⊕(?^0, ?^0); F2 = ⊕(F1^0, ?^0) →")
    assert set(resolutions(three.settings)) - set(resolutions(two.settings)) == {"x1 x2 x3"}
