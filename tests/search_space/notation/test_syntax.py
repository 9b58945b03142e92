from __future__ import annotations

import dataclasses

import pytest

from fusearch.search_space.notation.syntax import Document, Place, TapItem


def test_items_are_values_and_documents_do_not_share_lists() -> None:
    tap = TapItem("a", 1, Place("a@1", 0))
    with pytest.raises(dataclasses.FrozenInstanceError):
        tap.depth = 2  # type: ignore[misc]  # the point of the test
    assert Document().fusions is not Document().fusions
