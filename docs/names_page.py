"""Writes `docs/names.md`: every public name with its signature, what it does, an example, and what it raises (`make reference`)."""

from __future__ import annotations

import inspect
import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fusearch

__all__ = ["PAGE", "names_page"]

PAGE = Path(__file__).with_name("names.md")
_HEAD = """# Names

Every name of `import fusearch as fs`, made from the code. What the objects can do stands in [architecture](architecture.md#seams).
"""


def names_page() -> str:
    """Return the page."""
    signature: Callable[[str, Any], Iterator[str]] = runpy.run_path(str(PAGE.with_name("signatures.py")))["_entry"]
    names = [name for name in fusearch.__all__ if name != "__version__"]
    return "\n".join([_HEAD, *(line for name in names for line in _entry(name, getattr(fusearch, name), signature))])


def _entry(name: str, thing: Any, signature: Callable[[str, Any], Iterator[str]]) -> Iterator[str]:
    about = inspect.getdoc(thing) or ""
    yield f"## {name}\n"
    if (inspect.isclass(thing) and not issubclass(thing, Exception)) or inspect.isfunction(thing):
        lines = []
        for line in signature(name, thing):
            if line.startswith("    ."):
                break  # its members
            if not line.strip().startswith("# "):
                lines.append(line.partition("  # ")[0])
        yield "\n".join(["```python", *lines, "```", ""])
    yield about.partition("\n\n")[0].replace("\n", " ") + "\n"
    members = list(vars(thing).values()) if inspect.isclass(thing) else []
    example = next(filter(None, (_section(inspect.getdoc(part) or "", "Example") for part in (thing, *members))), "")
    if example:
        yield f"```python\n{example}\n```\n"
    errors = [*_errors(about), *(each for member in _members(thing) for each in _errors_of(*member))]
    if errors:
        yield "\n".join(["| raises | when |", "|---|---|", *(f"| `{error}` | {when} |" for error, when in errors), ""])
    elif not isinstance(thing, type) or not issubclass(thing, Exception):
        yield "It raises nothing of its own.\n"


def _members(thing: Any) -> Iterator[tuple[str, Any]]:
    """Give the public methods and properties of a class that are ours, by name."""
    for name, member in inspect.getmembers(thing) if inspect.isclass(thing) else ():
        ours = member.fget if isinstance(member, property) else member
        if not name.startswith("_") and str(getattr(ours, "__module__", "")).startswith("fusearch."):
            yield name, ours


def _errors_of(name: str, member: Any) -> Iterator[tuple[str, str]]:
    return ((error, f"`{name}`: {when}") for error, when in _errors(inspect.getdoc(member) or ""))


def _section(about: str, title: str) -> str:
    """Return the text of a section of a docstring, without its indent."""
    match = re.search(rf"^{title}:\n((?:    .*\n?|\n)+)", about, re.MULTILINE)
    return inspect.cleandoc(match[1]) if match else ""


def _errors(about: str) -> Iterator[tuple[str, str]]:
    text = _section(about, "Raises")
    for part in re.split(r"\n(?=\S)", text) if text else []:
        error, _, when = part.partition(": ")
        yield error, " ".join(when.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(names_page(), encoding="utf-8")
