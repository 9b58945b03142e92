"""Decision 0033 lists every operator with its paper, what differs, and a twin that is there."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from fusearch.search_space.operators import OPERATORS


@pytest.fixture(scope="module")
def as_published() -> Any:
    spec = importlib.util.spec_from_file_location("as_published", Path(__file__).parents[1] / "docs" / "as_published.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_not_stale(as_published: Any) -> None:
    page = as_published.PAGE.read_text(encoding="utf-8")
    assert page == as_published.with_table(page), "decision 0033 is stale: run `make reference`"


def test_every_operator_has_a_twin(as_published: Any) -> None:
    assert set(as_published.twins()) == set(OPERATORS)
