"""The page `docs/glossary.md`, made from the words of the report: `python -m fusearch.reports.glossary_page > docs/glossary.md`."""

from __future__ import annotations

import sys

from fusearch.reports.glossary import GLOSSARY

__all__ = ["glossary_page"]

_HEAD = """# Words

What words mean in reports and on these pages. This page is made from the glossary of the report by `make reference`; a test fails when it
is stale. Words of the notation (stream, tap, trunk, port) stand in [the language](language.md).
"""


def glossary_page() -> str:
    """Return the page as Markdown, the words in the order of the alphabet.

    Example:
        >>> "**Pareto front**" in glossary_page()
        True
    """
    words = sorted(GLOSSARY, key=str.casefold)
    return "\n".join([_HEAD, *(f"- **{word}**: {GLOSSARY[word]}" for word in words)]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(glossary_page())
