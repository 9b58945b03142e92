"""What the architecture page copies from the code is the code's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def signatures() -> Any:
    return load_script(DOCS / "signatures.py")


def test_the_page_is_not_stale(signatures: Any) -> None:
    page = signatures.PAGE.read_text(encoding="utf-8")
    assert page == signatures.with_signatures(page), "docs/architecture.md is stale: run `make reference`"
    assert page.count("<!-- signatures: ") == page.count("```python"), "code on this page is generated"


def test_what_is_renamed_is_seen(signatures: Any) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        signatures.with_signatures("<!-- signatures: fusearch.data no_such_name -->\n```python\n```\n")
    page = "<!-- signatures: fusearch.data Fold load_data -->\n```python\nold\n```\n"
    assert signatures.with_signatures(page).splitlines()[2:4] == [
        "class Fold(index: int, train: IntArray, val: IntArray)  # One way to divide the rows of a search.",
        "load_data(source: str | Path) -> Dataset  # Load a data set.",
    ]
