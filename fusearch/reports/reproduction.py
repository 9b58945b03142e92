"""What it takes to run the search again: command, seeds, versions, fingerprint of the data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from fusearch.reports.findings import Findings

__all__ = ["command_line", "identity", "resolved_configuration"]


def command_line(found: Findings) -> str | None:
    """Return the command that repeats the search, or None where its data are not known by name (an evaluator of one's own)."""
    stated = found.config.get("command")
    if stated:
        return stated if isinstance(stated, str) else shlex.join(str(word) for word in stated)
    source = _data(found.config).get("source")
    if not source:
        return None
    words = ["fusearch", "search", str(source)]
    for objective in found.objectives:
        sign = "<=" if objective.direction == "minimize" else ">="
        words += ["--objective", objective.name + (f"{sign}{objective.bound:g}" if objective.bound is not None else "")]
    search, settings = found.config.get("search", {}), found.config.get("evaluator", {}).get("settings", {})
    space = found.config.get("space", {})
    options = {name: search.get(name) for name in ("trials", "sampler", "executor", "workers", "seed")}
    options |= {name: settings.get(name) for name in ("epochs", "folds", "seeds")} | {"max-fusions": space.get("max_fusions")}
    for name, value in options.items():
        if value is not None and not (name == "folds" and value == 1):  # one fold: the split of the data
            words += [f"--{name}", str(value)]
    return shlex.join([*words, "--out", "NEW_FOLDER"])


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
    import yaml

    return yaml.safe_dump(dict(found.config), sort_keys=False, allow_unicode=True, width=110)


def _data(config: Mapping[str, Any]) -> Mapping[str, Any]:
    data = config.get("evaluator", {}).get("data", {})
    return data if isinstance(data, Mapping) else {"source": data}
