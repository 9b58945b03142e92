from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["graph", "pattern", "space", "published.catalogue"])
def test_the_examples_of_the_docstrings_are_true(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"fusearch.search_space.{module}"))
    assert result.attempted > 0
    assert result.failed == 0
