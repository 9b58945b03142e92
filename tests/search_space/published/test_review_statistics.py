"""The numbers that the review states of its 54 studies come out of the formulas that it prints."""

from __future__ import annotations

import pytest

from fusearch.search_space.published import other_sheets, review_statistics


def counted(group: str) -> dict[str, int]:
    return {count.name: count.count for count in review_statistics() if count.group == group}


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("studies by number of fusions", {"single": 35, "multiple": 19}),
        (
            "fusions by class of operator",
            {"⊕ concatenation": 77, "⊞ tensor": 37, "𝕊 calibration": 14, "𝔸 attention": 9, "⇌ sharing": 5},
        ),
        ("studies by type", {"sudden": 45, "gradual": 5, "multi-flow": 4}),
        ("studies by synchrony", {"synchronous": 20, "asynchronous": 34}),
    ],
)
def test_the_review_is_reproduced(group: str, expected: dict[str, int]) -> None:
    assert counted(group) == expected


@pytest.mark.parametrize("group", ["studies by task", "as built, differing in"])
def test_each_study_is_counted_once(group: str) -> None:
    assert sum(counted(group).values()) == 54


def test_three_sheets_print_another_type_than_their_formula_has() -> None:
    assert other_sheets() == dict.fromkeys((17, 27, 50), ("sudden", "multi-flow"))
