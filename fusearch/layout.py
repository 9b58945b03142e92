"""The run folder: the name of everything in it, and the one way in which a file is written there.

Reports and evaluators meet a search here, in what it left behind; neither imports the other.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = [
    "CONFIG",
    "DECISION",
    "DECISION_ARRAYS",
    "JOURNAL",
    "LOCK",
    "LOOKS",
    "RAY",
    "REPORT_DOCUMENT",
    "REPORT_PAGE",
    "REPORT_TEXT",
    "TRIALS_TABLE",
    "explanation_file",
    "explanation_files",
    "predictions_file",
    "replace_file",
    "weights_folder",
]

#: How the search was set up, as resolved.
CONFIG = "config.yaml"
#: The Optuna study, where no storage URL was given.
JOURNAL = "study.journal"
#: Held by the process that drives the search.
LOCK = "driver.lock"
#: What the strategy decided and why; the graph search has none.
DECISION = "strategy.json"
#: The larger things that a strategy saw.
DECISION_ARRAYS = "strategy.npz"
#: Folder of Ray Tune's experiment.
RAY = "ray"
#: Looks at the test split, numbered.
LOOKS = "confirm.json"
REPORT_PAGE, REPORT_TEXT, REPORT_DOCUMENT, TRIALS_TABLE = "report.html", "report.md", "report.json", "trials.csv"


def predictions_file(run: Path, candidate: str) -> Path:
    """Return where the arrays of an evaluation are, such as its out-of-fold predictions."""
    return run / "predictions" / f"{candidate}.npz"


def weights_folder(run: Path) -> Path:
    """Return the folder of trained weights, where a strategy or an explanation goes on from them."""
    return run / "weights"


def explanation_file(run: Path, candidate: str) -> Path:
    """Return where it is written what a candidate hangs on."""
    return run / "explain" / f"{candidate}.json"


def explanation_files(run: Path) -> list[Path]:
    """Return the explanations that there are, in the order of the candidates' digests."""
    return sorted(explanation_file(run, "*").parent.glob("*.json"))


def replace_file(path: Path, content: bytes | str) -> None:
    """Write a file whole or not at all: a reader, and a process that is killed, never leave or see half of it.

    Its folder is made where it does not exist. Text is written as UTF-8.

    Raises:
        OSError: It cannot be written; what stood there before stands there still.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
