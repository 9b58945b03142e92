"""A manifest as YAML with comments above its keys and modalities."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from fusearch.yaml_file import dump_yaml

__all__ = ["manifest_text"]

_WIDTH = 100


def manifest_text(document: Mapping[str, Any], comments: Mapping[str, Sequence[str]], of_modalities: Mapping[str, Sequence[str]]) -> str:
    """Return the text of a manifest.

    Args:
        document: What it says.
        comments: Key -> lines above it.
        of_modalities: Name of a modality -> lines above it.
    """
    parts = []
    for key, value in document.items():
        parts += _commented(comments.get(key, ()), "")
        if key != "modalities":
            parts.append(_in_lines(key, value))
            continue
        parts.append("modalities:")
        for name, keys in value.items():
            parts += _commented(of_modalities.get(name, ()), "  ")
            parts.append(textwrap.indent(_in_lines(name, keys), "  "))
    return "\n".join(parts) + "\n"


def _in_lines(key: str, value: Any) -> str:
    """Return a key with its value; lists, and a short mapping, in a line."""
    return dump_yaml({key: value}, width=_WIDTH, leaves_in_line=isinstance(value, dict | list)).rstrip()


def _commented(lines: Sequence[str], indent: str) -> list[str]:
    whole = [" ".join(line.split()) for line in lines]
    return [
        f"{indent}# {part}"
        for line in whole
        for part in textwrap.wrap(line, _WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False) or [""]
    ]
