"""What it takes to run the search again: command, seeds, versions, fingerprint of the data."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusearch.amounts import counted
from fusearch.layout import CONFIG
from fusearch.reports.findings.findings import Findings
from fusearch.yaml_file import dump_yaml

__all__ = [
    "Workplace",
    "command_line",
    "commands_and_note",
    "export_command",
    "identity",
    "places",
    "resolved_configuration",
    "resumed_lines",
    "team_command",
]


#: Options that do not belong to a repetition: (name, whether it takes a value).
_DROPPED = {"--out": True, "--resume": False, "--json": False, "--debug": False}


@dataclass(frozen=True)
class Workplace:
    """Where designs were evaluated: on a machine, or a device of it.

    Attributes:
        host: Name of the machine; None where the run does not tell.
        device: What computed, such as `cpu` or `cuda:0 (NVIDIA H100)`; likewise.
        workers: Processes that worked there, one after the other or side by side.
        designs: How many designs were evaluated there.
    """

    host: str | None
    device: str | None
    workers: int
    designs: int

    def __str__(self) -> str:
        where = [*([self.device] if self.device else []), *([f"on {self.host}"] if self.host else [])]
        return f"{' '.join(where)}: {counted(self.designs, 'design')}" + (f" by {counted(self.workers, 'worker')}" if self.workers else "")


def command_line(found: Findings) -> str | None:
    """Return the command that makes the run again in another folder, or None where none made it (a search in Python)."""
    stated = found.config.get("command")
    return shlex.join([*_kept(stated), "--out", "NEW_FOLDER"]) if stated else None


def export_command(found: Findings, folder: Path | None = None) -> str | None:
    """Return the command that exports the recommended design; None where there is none, or no run folder.

    Args:
        found: The findings.
        folder: The run folder as the reader calls it; left out, as the findings have it.
    """
    folder = folder or found.folder
    if found.recommended is None or folder is None:
        return None
    asked = [] if found.trials.select is None else ["--select", found.trials.select]
    return shlex.join(["fusearch", "export", str(folder), *asked, "--out", str(folder / "export")])


def team_command(found: Findings, folder: Path | None = None) -> str | None:
    """Return the command that exports the team; None where it is not recommended, or there is no run folder.

    Args:
        found: The findings.
        folder: The run folder as the reader calls it; left out, as the findings have it.
    """
    folder = folder or found.folder
    if folder is None or not found.answers.team.recommended:
        return None
    asked = [] if found.trials.select is None else ["--select", found.trials.select]
    return shlex.join(["fusearch", "export", str(folder), "--pick", "team", *asked, "--out", str(folder / "export-team")])


def resumed_lines(found: Findings) -> list[str]:
    """Return the commands that went on with the run where they are not the one that made it; a comment for a call from Python."""
    lines = []
    for stated in found.config.get("resumed", ()):
        line = shlex.join([*_kept(stated), "--resume", "--out", "NEW_FOLDER"]) if stated else "# resumed from Python"
        if not stated or _kept(stated) != _kept(found.config.get("command") or ()):
            lines.append(line)
    return lines


def commands_and_note(found: Findings) -> tuple[list[str], str]:
    """Return the commands that make the run again, and what to say where there is none."""
    first = command_line(found)
    lines = [*([first] if first else []), *resumed_lines(found)]
    if first:
        return lines, ""
    if "command" not in found.config:
        return lines, f"The run was made by a version of fusearch that kept no command; {CONFIG} holds its settings."
    return lines, f"The search was called from Python, so no command line repeats it; {CONFIG} holds its settings."


def _kept(stated: Sequence[object]) -> list[str]:
    """Return the words of a command without those that belong to one call of it."""
    kept: list[str] = []
    words = iter(map(str, stated))
    for word in words:
        name, equals, _value = word.partition("=")
        if name not in _DROPPED:
            kept.append(word)
        elif _DROPPED[name] and not equals:
            next(words, None)
    return kept


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
        ("Ran on", ", ".join(map(str, places(found))) or None),
        ("fusearch", config.get("fusearch")),
        *config.get("versions", {}).items(),
    ]
    return [(str(name), str(value)) for name, value in entries if value is not None]


def places(found: Findings) -> list[Workplace]:
    """Return what ran where, the place of most designs first; empty where no trial says."""
    records = [record for record in found.trials.records if record.repeat_of is None and record.more_seeds_of is None]
    told = [(record.details.get("host"), record.details.get("device"), record.details.get("worker")) for record in records]
    designs = Counter((host, device) for host, device, _worker in told if host or device)
    workers = Counter((host, device) for host, device, worker in set(told) if worker is not None)
    return [Workplace(host, device, workers[host, device], number) for (host, device), number in designs.most_common()]


def resolved_configuration(found: Findings) -> str:
    """Return the configuration as YAML."""
    return dump_yaml(found.config, width=110)


def _data(config: Mapping[str, Any]) -> Mapping[str, Any]:
    data = config.get("evaluator", {}).get("data", {})
    return data if isinstance(data, Mapping) else {"source": data}
