"""The page of words is the glossary of the report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from fusearch.reports.glossary import GLOSSARY

PAGE = Path(__file__).parents[2] / "docs" / "glossary.md"


def test_the_page_is_what_the_module_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "fusearch.reports.glossary_page"], capture_output=True, text=True, check=True
    )
    assert PAGE.read_text(encoding="utf-8") == done.stdout, "run `make reference`"
    assert [line for word, meaning in GLOSSARY.items() if (line := f"- **{word}**: {meaning}") not in done.stdout.splitlines()] == []
