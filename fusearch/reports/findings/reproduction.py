"""What it takes to run the search again: command, seeds, versions, fingerprint of the data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from fusearch.reports.findings.findings import Findings
from fusearch.yaml_file import dump_yaml

__all__ = ["command_line", "identity", "resolved_configuration"]


#: Options that do not belong to a repetition: (name, whether it takes a value).
_DROPPED = {"--out": True, "--resume": False, "--json": False, "--debug": False}


def command_line(found: Findings) -> str | None:
    """Return the command that makes the run again in another folder, or None where none made it (a search in Python)."""
    stated = found.config.get("command")
    if not stated:
        return None
    kept: list[str] = []
    words = iter(map(str, stated))
    for word in words:
        name, equals, _value = word.partition("=")
        if name not in _DROPPED:
            kept.append(word)
        elif _DROPPED[name] and not equals:
            next(words, None)
    return shlex.join([*kept, "--out", "NEW_FOLDER"])


def identity(found: Findings) -> list[tuple[str, str]]:
    """Return (name, value) of what identifies the run: data, fingerprints, seed, versions."""
    config = found.config
    data = _data(config)
    space = config.get("space", {})
    entries = [
        ("Data", data.get("source") or data.get("name")),
        ("Data fingerprint", data.get("fingerprint")),
        ("Search space fingerprint", space.get("fingerprint") or config.get("space_fingerprint")),
        ("Seed", config.get("search", {}).get("seed")),
        ("fusearch", config.get("fusearch")),
        *config.get("versions", {}).items(),
    ]
    return [(str(name), str(value)) for name, value in entries if value is not None]


def resolved_configuration(found: Findings) -> str:
    """Return the configuration as YAML."""
    return dump_yaml(found.config, width=110)


def _data(config: Mapping[str, Any]) -> Mapping[str, Any]:
    data = config.get("evaluator", {}).get("data", {})
    return data if isinstance(data, Mapping) else {"source": data}
