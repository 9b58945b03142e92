"""The command `watch`: a search as it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from fusearch.cli.live_view import View, view_of
from fusearch.cli.options import AsJson, RunFolder
from fusearch.cli.output import document, say

__all__ = ["add_commands"]


def watch(
    run: RunFolder,
    once: Annotated[bool, typer.Option("--once", help="Print one view and end.")] = False,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks at the run.", metavar="SECONDS")] = 2.0,
    as_json: AsJson = False,
) -> None:
    """Show a search while it runs: front, trials a minute, failures, workers, races, time left. Ends when the search does.

    The run may be written by another process. Where standard output is no terminal, it prints a line where something has changed, and
    the whole view at the end; --json prints one view.
    """
    with document(as_json) as write:
        if as_json:
            write(next(_views(run, every)).to_dict())
            return
    if once or not sys.stdout.isatty():
        shown = None
        for view in _views(run, every):
            if once or not view.is_running:
                break
            if view.line != shown:
                say(view.line)
                sys.stdout.flush()
                shown = view.line
        say("\n".join(view.lines()))
        return
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    with Live(refresh_per_second=4) as live:
        for view in _views(run, every):
            width, height = live.console.size
            live.update(Group(*map(Text, view.lines(min(width - 30, 100), max(6, min(20, height - 12))))), refresh=True)


def _views(folder: Path, every: float) -> Iterator[View]:
    """Give the run as it is, at least once and until its search has ended."""
    from fusearch.reports import read_findings
    from fusearch.run import Run

    opened = Run(folder)
    while True:
        view = view_of(read_findings(opened))
        yield view
        if not view.is_running:
            return
        time.sleep(every)


def add_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command("watch", epilog="Example: fusearch watch runs/first")(watch)
