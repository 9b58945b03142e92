"""The run folder: the name of everything in it, and the one way in which a file is written there."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = [
    "CONFIG",
    "CONFIRMATION",
    "DECISION",
    "DECISION_ARRAYS",
    "EXPLANATIONS",
    "JOURNAL",
    "JOURNAL_LOCK",
    "LEVELS",
    "LOCK",
    "PREDICTIONS",
    "RAY",
    "REPORT_DOCUMENT",
    "REPORT_PAGE",
    "REPORT_TEXT",
    "STREAMS",
    "TRIALS_TABLE",
    "WEIGHTS",
    "count_weights",
    "explanation_file",
    "explanation_files",
    "folder_bytes",
    "member_weights_file",
    "predictions_file",
    "ray_session",
    "replace_file",
    "whole_folder",
]

#: The configuration as it was resolved; a folder with it is a run.
CONFIG = "config.yaml"
#: The study, where no other Optuna storage was given, and the lock that Optuna puts beside it.
JOURNAL = "study.journal"
JOURNAL_LOCK = f"{JOURNAL}.lock"
#: Held by the process that drives the search.
LOCK = "driver.lock"
#: Folder of Ray Tune's experiments, one for each time that the search was started.
RAY = "ray"

#: Folder with the arrays of each evaluation.
PREDICTIONS = "predictions"
#: Folder with the trained weights: of the designs on the front, of those that a strategy goes on from, and of what was explained.
WEIGHTS = "weights"
_OF_A_MEMBER = ".safetensors"
#: Folder with streams that were trained alone, for other designs that want the same.
STREAMS = "streams"
#: Folder with one file for each explained candidate.
EXPLANATIONS = "explain"

#: What the strategy of a run decided; the graph search has none.
DECISION = "strategy.json"
#: The larger things that the strategy saw.
DECISION_ARRAYS = "strategy.npz"
#: The looks at the test split, numbered.
CONFIRMATION = "confirm.json"

#: What stands in the columns that the report tells rows apart by.
LEVELS = "levels.json"

#: The report: for the browser, for reading, for programs, and the trials as a table.
REPORT_PAGE = "report.html"
REPORT_TEXT = "report.md"
REPORT_DOCUMENT = "report.json"
TRIALS_TABLE = "trials.csv"


def predictions_file(run: Path, candidate: str) -> Path:
    """Return where a run keeps the arrays of a candidate's evaluation."""
    return run / PREDICTIONS / f"{candidate}.npz"


def explanation_file(run: Path, candidate: str) -> Path:
    """Return where a run keeps what a candidate hangs on."""
    return run / EXPLANATIONS / f"{candidate}.json"


def explanation_files(run: Path) -> list[Path]:
    """Return the explanations that a run has, in the order of the candidates' digests."""
    return sorted((run / EXPLANATIONS).glob("*.json"))


def member_weights_file(weights: Path, candidate: str, *, fold: int, seed: int) -> Path:
    """Return where a folder of weights keeps those of a member."""
    return weights / candidate / f"fold{fold}-seed{seed}{_OF_A_MEMBER}"


def folder_bytes(folder: Path) -> int:
    """Return how large the files of a folder are together; 0 where there is no folder."""
    total = 0
    for file in folder.glob("*"):
        with suppress(FileNotFoundError):  # a search that runs lets go what it needs least
            total += file.stat().st_size
    return total


def count_weights(run: Path | None) -> dict[str, int]:
    """Return of how many `networks` of how many `designs` a run keeps the weights, and their `bytes`; zeros where it keeps none."""
    sizes: dict[Path, int] = {}
    for file in [] if run is None else (run / WEIGHTS).glob(f"*/*{_OF_A_MEMBER}"):
        with suppress(FileNotFoundError):  # a search that runs lets go what left the front
            sizes[file] = file.stat().st_size
    return {"networks": len(sizes), "designs": len({file.parent for file in sizes}), "bytes": sum(sizes.values())}


def ray_session(number: int) -> str:
    """Return the name of one of Ray Tune's experiments."""
    return f"session-{number:03d}"


def replace_file(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Write a file whole or not at all: nobody ever reads half of it, also after a crash of the machine.

    Args:
        path: The file; one that exists is replaced.
        content: Bytes, or text, which is written as UTF-8.
        durable: Whether to wait for the disk, which takes milliseconds; without that a crash of the machine may leave half a file.

    Raises:
        OSError: It cannot be written; what stood there before still stands.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Make a folder whole or not at all: what is yielded stands beside it, and takes its name at the end of the block.

    Missing parents are made; where the block fails nothing is kept.

    Raises:
        OSError: It cannot be made or written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    try:
        draft.mkdir()
        yield draft
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
