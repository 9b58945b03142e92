"""The run that a command is about where none is named, and the folder of a new one."""

from __future__ import annotations

from datetime import date
from itertools import count
from pathlib import Path

import typer

from fusearch.errors import RunError
from fusearch.layout import CONFIG
from fusearch.run import read_config

__all__ = ["new_run_folder", "only_run", "run_of", "runs_here"]

#: Where a search puts its run, and where commands look for runs.
RUNS = Path("runs")

#: Most runs that a refusal lists.
_LISTED = 8


def runs_here() -> list[Path]:
    """Return the runs that a command without RUN may mean: the current folder, else those in it and in `runs`."""
    here = Path()
    if _is_run(here):
        return [here]
    return [path for folder in (here, RUNS) for path in sorted(folder.glob("*/")) if _is_run(path)]


def only_run() -> Path:
    """Return the only run here.

    Raises:
        RunError: There is none, or more than one.
    """
    runs = runs_here()
    if len(runs) == 1:
        return runs[0]
    if not runs:
        raise RunError(f"no run here or in {str(RUNS)!r}: expected RUN, a folder that `fusearch search` made")
    newest = sorted(runs, key=lambda run: (run / CONFIG).stat().st_mtime, reverse=True)
    more = "" if len(runs) <= _LISTED else f", and {len(runs) - _LISTED} more"
    raise RunError(f"{len(runs)} runs here, expected RUN, the newest first: {', '.join(map(str, newest[:_LISTED]))}{more}")


def run_of(context: typer.Context, given: Path) -> Path:
    """Return the run that a command was given, or where it was given none (or the current folder, which is none) the only one here.

    Raises:
        RunError: None is given, and there is not exactly one.
    """
    return given if context.resilient_parsing or given != Path() else only_run()


def new_run_folder(name: str) -> Path:
    """Return a folder for a new run over the data of that name, `runs/NAME-DATE`; one that exists is passed over.

    Example:
        >>> new_run_folder("lgg").name.startswith("lgg-20")
        True
    """
    stem = f"{''.join(letter if letter.isalnum() or letter in '._-' else '_' for letter in name)}-{date.today().isoformat()}"
    names = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
    return next(RUNS / each for each in names if not (RUNS / each).exists() and not (RUNS / each).is_symlink())


def _is_run(folder: Path) -> bool:
    try:
        read_config(folder)
    except RunError:
        return False
    return True
