"""The decisions are found from both sides: the index lists each, and each is cited where it governs something."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DECISIONS = ROOT / "docs" / "decisions"
PAGES = sorted(DECISIONS.glob("[0-9]*.md"))


@cache
def cited() -> set[str]:
    """Return the numbers of the decisions that code, tests and documentation name: in words, or a link to the page."""
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    files += [path for folder in ("fusearch", "tests", "examples", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    return {number for text in texts for number in re.findall(r"(?:[Dd]ecision\s+|decisions/)(\d{4})\b", text)}


def test_the_index_lists_every_decision_once_with_its_title() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    lines = [line for line in index.splitlines() if line.startswith("- [")]
    expected = []
    for page in PAGES:
        number, title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").split(": ", 1)
        assert page.name.startswith(f"{number}-")
        expected.append(f"- [{number}]({page.name}): {title}")
    assert sorted(lines) == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_decision_is_cited_outside_of_the_decisions(page: Path) -> None:
    assert page.name[:4] in cited(), "cite it at the code that it governs, as `decision NNNN`; or merge it into one that is cited"


def test_every_decision_that_is_cited_exists() -> None:
    assert cited() <= {page.name[:4] for page in PAGES}
