"""Every public name is documented: a type, an example, and what it raises."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

import fusearch

DOCS = Path(__file__).parents[1] / "docs"
NAMES = [name for name in fusearch.__all__ if name != "__version__"]


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "names.md").read_text(encoding="utf-8")


def test_the_page_is_not_stale(page: str) -> None:
    made: Any = load_script(DOCS / "names_page.py")
    assert page == made.names_page(), "docs/names.md is stale: run `make reference`"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_has_a_type_an_example_and_its_errors(name: str, page: str) -> None:
    thing = getattr(fusearch, name)
    entry = page.split(f"\n## {name}\n")[1].partition("\n## ")[0]
    if inspect.isfunction(thing):
        given = inspect.signature(thing)
        assert given.return_annotation is not inspect.Signature.empty
        assert all(each.annotation is not inspect.Parameter.empty for each in given.parameters.values())
        assert f"```python\n{name}(" in entry
    assert ">>>" in entry or name == "FusearchError"
    if name != "FusearchError":
        assert ("| raises | when |" in entry) != ("It raises nothing of its own." in entry)
    if "\nRaises:\n" in (inspect.getdoc(thing) or ""):
        assert "| raises | when |" in entry
