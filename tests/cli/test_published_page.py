"""The page of the published networks, and its figure, are what the catalogue says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fusearch.cli.published_page import published_page, statistics_figure
from fusearch.search_space import PUBLISHED
from fusearch.search_space.published import FEATURES, review_statistics

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def page() -> str:
    return published_page()


def test_the_page_is_not_stale(page: str) -> None:
    assert (DOCS / "published.md").read_text(encoding="utf-8") == page, "run `make reference`"
    assert (DOCS / "published.svg").read_text(encoding="utf-8") == statistics_figure(), "run `make reference`"


def test_the_page_is_whole(page: str) -> None:
    assert [int(number) for number in re.findall(r"^\| (\d+) \| ", page, re.MULTILINE)] == list(range(1, 55))
    assert all(f"`{study.key}`" in page for study in PUBLISHED.values())
    assert all(f"| {count.name} | {count.count} |" in page for count in review_statistics())
    assert all(f"- {name}" in page for name in FEATURES)
    assert "The sheets of studies 17 (`pbd-central-attn`), 27 (`mmhfnet`), 50 (`brain-degeneration-attn`) print the type sudden" in page


def test_the_module_prints_page_and_figure(page: str) -> None:
    for words, text in (((), page), (("figure",), statistics_figure())):
        command = [sys.executable, "-W", "error", "-m", "fusearch.cli.published_page", *words]
        assert subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout == text
