"""The command `init`: a first manifest for a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusearch.cli.listing import show_check
from fusearch.cli.options import AsJson
from fusearch.cli.output import document, say, warn

__all__ = ["add_commands"]


def init(
    folder: Annotated[Path, typer.Argument(help="A folder with the tables and files of a study.", metavar="PATH")],
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="Column to predict; repeat it for several labels, or for a time and an event (default: one that is named like a target). "
            "Or a folder of masks, named by the ids of the samples, or a column of their paths.",
            show_default=False,
            metavar="NAME",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The manifest to write (default: in that folder, named like it).", show_default=False, metavar="PATH"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at a folder and write a first manifest for it, with comments; then check it.

    Kinds come from the files, the id from the column that joins them, the task from what the target holds.
    """
    from fusearch.data import check_data, draft_manifest

    with document(as_json) as write:
        made = draft_manifest(folder, targets=target or (), out=out, force=force)
        found = check_data(made.path)
        follow = f"fusearch search {made.path} --out runs/{made.path.stem}" if found.ok else f"fusearch check {made.path}"
        written = [str(path) for path in made.written]
        write({"manifest": str(made.path), "written": written, "notes": list(made.notes), "check": found.to_dict(), "next": follow})
    if not as_json:
        say(f"Wrote {', '.join(written)}: read it, its comments say why and what else could be.")
        for note in made.notes:
            warn(note)
        say()
        show_check(found.to_dict(), "No problems found in what the manifest names." if made.notes else "No problems found.")
        say()
        if made.notes:
            say("Not all that lies in the folder is used: the warnings above say what was left out, and why.")
        say(f"Next: {follow}" if found.ok else f"Mend what is wrong in {made.path}, then: {follow}")
    if not found.ok:
        raise typer.Exit(2)


def add_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command("init", epilog="Example: fusearch init study --target vital")(init)
