"""Writes into `docs/architecture.md` what it copies from the code: signatures, and the first line of each docstring (`make reference`).

A line `<!-- signatures: MODULE NAME ... -->` in the page says what stands in the block of code behind it.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["PAGE", "with_signatures"]

PAGE = Path(__file__).with_name("architecture.md")
_BLOCK = re.compile(r"(<!-- signatures: (?P<module>\S+) (?P<names>[^>]+?) -->\n)```python\n.*?```\n", re.DOTALL)
_WIDTH = 140
_NO_BREAK = "\N{NO-BREAK SPACE}"


def with_signatures(page: str) -> str:
    """Return the page with each marked block written anew.

    Raises:
        AttributeError: A marker names what its module does not have.
    """

    def block(match: re.Match[str]) -> str:
        module = importlib.import_module(match["module"])
        lines = [line for name in match["names"].split() for line in _entry(name, getattr(module, name))]
        return f"{match[1]}```python\n" + "\n".join(lines) + "\n```\n"

    return _BLOCK.sub(block, page)


def _entry(name: str, thing: Any) -> Iterator[str]:
    if inspect.isclass(thing):
        own = vars(thing)
        yield from _line(f"class {name}{_parameters(thing)}", thing)
        fields = {field.name for field in dataclasses.fields(thing)} if dataclasses.is_dataclass(thing) else set()
        for member, value in own.items():
            inner = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            if member.startswith("_") or member in fields or not inspect.isfunction(inner):
                continue
            kind = "" if isinstance(value, property) else _parameters(inner)
            yield from _line(f"    .{member}{kind}{_result(inner)}", inner)
    elif inspect.isfunction(thing):
        yield from _line(f"{name}{_parameters(thing)}{_result(thing)}", thing)
    else:
        yield f"{name}: {type(thing).__name__}"


def _parameters(thing: Any) -> str:
    kept = [each for each in inspect.signature(thing).parameters.values() if each.name not in ("self", "cls")]
    if inspect.isclass(thing) and all(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in kept):
        return ""  # a protocol, or a class that takes whatever its parent does
    marks = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parts, by_name = [], False
    for each in kept:
        if each.kind is each.KEYWORD_ONLY and not by_name:
            parts.append("*")
            by_name = True
        default = "" if each.default is each.empty else f" = {'...' if '<' in repr(each.default) else repr(each.default)}"
        part = f"{marks.get(each.kind, '')}{each.name}{_annotation(each.annotation, ': ')}{default}"
        parts.append(part.replace(" ", _NO_BREAK))  # a line ends between parameters
    return f"({', '.join(parts)})".replace("'", '"')


def _result(function: Any) -> str:
    return _annotation(inspect.signature(function).return_annotation, " -> ")


def _annotation(given: Any, before: str) -> str:
    return "" if given is inspect.Signature.empty else f"{before}{given if isinstance(given, str) else inspect.formatannotation(given)}"


def _line(code: str, thing: Any) -> Iterator[str]:
    """Give the code, and behind it, or below where it is long, the first line of the docstring."""
    indent = " " * (len(code) - len(code.lstrip()) + 4)
    about = (inspect.getdoc(thing) or "").partition("\n")[0]
    if about and len(code) + len(about) + 4 <= _WIDTH:
        yield f"{code.replace(_NO_BREAK, ' ')}  # {about}"
        return
    for line in textwrap.wrap(code, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False):
        yield line.replace(_NO_BREAK, " ")
    if about:
        yield from textwrap.wrap(about, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ", break_on_hyphens=False)


if __name__ == "__main__":
    PAGE.write_text(with_signatures(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
