"""Writes into decision 0033 the table of the operators: paper, what differs, and the test of the equation (`make reference`)."""

from __future__ import annotations

import re
from pathlib import Path

from fusearch.search_space.operators import OPERATORS

__all__ = ["PAGE", "twins", "with_table"]

PAGE = Path(__file__).parent / "decisions" / "0033-published-operators-simplified.md"
TESTS = Path(__file__).parents[1] / "tests" / "evaluators" / "operators"
_TABLE = re.compile(r"(<!-- operators -->\n).*?(<!-- /operators -->)", re.DOTALL)
_SUITE = re.compile(r'^class (Test\w+)\(.*\):\n(?:    """.*"""\n\n)?    name = "(\w+)"$', re.MULTILINE)


def twins() -> dict[str, str]:
    """Return operator -> file and class of the suite that holds its naive twin."""
    files = sorted(TESTS.glob("test_*.py"))
    return {name: f"{file.name}::{suite}" for file in files for suite, name in _SUITE.findall(file.read_text(encoding="utf-8"))}


def with_table(page: str) -> str:
    """Return the page with its table written anew."""
    held = twins()
    lines = ["| operator, linked to what it computes | paper | what differs | twin |", "|---|---|---|---|"]
    for name in OPERATORS:
        operator = OPERATORS[name]
        cells = [f"[{name}](../operators.md#{name})", operator.reference, operator.differs or "nothing", f"`{held[name]}`"]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return _TABLE.sub(lambda match: match[1] + "\n".join(lines) + "\n" + match[2], page)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
