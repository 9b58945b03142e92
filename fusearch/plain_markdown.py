"""Text of others in Markdown: it stays text, whatever it holds, and is one line."""

from __future__ import annotations

__all__ = ["as_code", "as_words"]


def as_words(text: str) -> str:
    """Return a text that no renderer takes for markup: `a_b` stays `a_b`, and a line break is a space."""
    return "".join("\\" + letter if letter in "\\`*_[]<>|" else letter for letter in " ".join(text.splitlines()))


def as_code(text: str) -> str:
    """Return a text as a span of code, which may stand in a table; a backtick in it becomes an apostrophe."""
    return "`" + "; ".join(text.splitlines()).replace("|", "\\|").replace("`", "'") + "`"
