"""A word names a study by its number or its key."""

from __future__ import annotations

import pytest

from fusearch.errors import UnknownNameError
from fusearch.search_space import PUBLISHED
from fusearch.search_space.published.named import find_study


def test_by_key_and_by_number() -> None:
    assert find_study("mmdynamics") is PUBLISHED["mmdynamics"]
    assert find_study(" 18 ") is PUBLISHED[18]
    assert find_study("F1 = cat(a@1, b@L) ->") is None


def test_other_words_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="'mmdynamic' is no formula, and no published study: did you mean 'mmdynamics'"):
        find_study("mmdynamic")
    with pytest.raises(UnknownNameError, match="`fusearch list designs` lists them"):
        find_study("qqqqqqqqqqqq")
