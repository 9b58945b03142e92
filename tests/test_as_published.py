"""Decision 0033 lists every operator with its paper, what differs, and a twin that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

from fusearch.search_space.operators import OPERATORS


@pytest.fixture(scope="module")
def as_published() -> Any:
    return load_script(Path(__file__).parents[1] / "docs" / "as_published.py")


def test_the_table_is_not_stale(as_published: Any) -> None:
    page = as_published.PAGE.read_text(encoding="utf-8")
    assert page == as_published.with_table(page), "decision 0033 is stale: run `make reference`"


def test_every_operator_has_a_twin(as_published: Any) -> None:
    assert set(as_published.twins()) == set(OPERATORS)
