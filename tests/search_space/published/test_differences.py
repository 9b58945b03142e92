from __future__ import annotations

from collections import Counter

import pytest

from fusearch.search_space import PUBLISHED, FusionGraph, FusionPattern
from fusearch.search_space.published.differences import AGREEMENTS, agreement

BUILT = FusionGraph.parse("a:mlp | b:mlp; F1 = cat(a@1, b@2; trunk=fc:1); F2 = product(a@2, F1@1) ->")


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("F1 = ⊕(x1^1, x2^2); F2 = ⊞(x1^2, F1^1) →", "equal"),
        ("F1 = ⊕(x1^y, x2^z); F2 = ⊞(x1^z, F1^y) →", "equal"),
        ("F1 = ⊕(x1^34, x2^2); F2 = ⊞(x1^2, F1^1) →", "depths"),
        ("F1 = ⊕(x1^y, x2^y); F2 = ⊞(x1^2, F1^1) →", "depths"),
        ("F1 = ⊞(x1^1, x2^2); F2 = ⊞(x1^2, F1^1) →", "operators"),
        ("F1 = ⊞(x1^1, x2^9); F2 = ⊞(x1^2, F1^1) →", "operators and depths"),
        ("F1 = ⊕(x1^1, x2^2); F2 = ⊞(F1^1, F1^1) →", "graph"),
        ("F1 = ⊕(x1^1, x2^2) →", "graph"),
    ],
)
def test_the_least_that_differs_is_named(printed: str, found: str) -> None:
    assert agreement(FusionPattern.parse(printed), BUILT) == found


def test_every_study_that_differs_in_more_than_depths_says_how() -> None:
    for study in PUBLISHED.values():
        assert study.facts.differs or study.agreement in ("equal", "depths"), study.key


def test_print_and_building_agree_in_15_of_54() -> None:
    found = Counter(study.agreement for study in PUBLISHED.values())
    assert found["equal"] == 15
    assert sum(found.values()) == 54
    assert set(found) == set(AGREEMENTS)
