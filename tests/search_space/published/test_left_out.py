from __future__ import annotations

import re

from fusearch.search_space.operators import OPERATORS
from fusearch.search_space.published import PUBLISHED
from fusearch.search_space.published.left_out import LEFT_OUT


def test_the_studies_with_a_pretext_say_what_is_left_out() -> None:
    assert set(LEFT_OUT) == {4, 14, 18, 31, 44, 51, 53}
    by_number = {study.number: study for study in PUBLISHED.values()}
    for number, text in LEFT_OUT.items():
        assert by_number[number].left_out == text
        assert text.startswith("The ")
        assert text.endswith(".")
    assert not PUBLISHED["mmdynamics"].left_out


def test_every_operator_that_comes_near_is_there() -> None:
    named = {word for text in LEFT_OUT.values() for word in re.findall(r"`(\w+)`", text)}
    assert named - {"augmentation", "loss_weight"} == {"reconstruction", "adversarial"} <= set(OPERATORS)
