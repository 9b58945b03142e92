"""The catalogue page is complete and not stale."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fusearch.search_space.operators import OPERATORS
from fusearch.search_space.operators.operator_page import catalogue_page

PAGE = Path(__file__).parents[3] / "docs" / "operators.md"


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == catalogue_page(), "run `make reference`"


@pytest.mark.parametrize("name", list(OPERATORS))
def test_every_operator_is_told_in_full(name: str) -> None:
    operator = OPERATORS[name]
    section = catalogue_page().split(f"\n### {name}\n")[1].split("\n###")[0]
    assert operator.equation in section
    assert operator.absent in section
    assert operator.reference in section
    assert operator.differs in section
    for parameter, param in operator.params.items():
        assert f"`{parameter}=" in section
        assert all(str(int(choice) if isinstance(choice, bool) else choice) in section for choice in param.choices)


def test_the_module_prints_the_page() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "fusearch.search_space.operators.operator_page"], capture_output=True, text=True, check=True
    )
    assert done.stdout == catalogue_page()
