"""The command `cite`: what a paper about a run cites."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusearch.cli.options import WHERE, AsJson, Pick, RunFolder
from fusearch.cli.output import document, say, warn

__all__ = ["add_commands"]


def cite(
    run: RunFolder,
    pick: Pick = "simplest",
    out: Annotated[
        Path | None,
        typer.Option(help="BibTeX file to write (default: print it).", show_default=False, metavar="PATH", rich_help_panel=WHERE),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print BibTeX and a paragraph on methods for a run: the papers of the operators, encoders, sampler and losses that it used."""
    from fusearch.errors import RunError
    from fusearch.layout import replace_file
    from fusearch.reports.citation.citation import cite_run
    from fusearch.run import Run

    with document(as_json) as write:
        cited = cite_run(Run(run), pick)
        if out is not None:
            try:
                replace_file(out, cited.bibtex + "\n")
            except OSError as error:
                raise RunError(f"--out {str(out)!r}: cannot be written ({error.strerror or error})") from None
        write({**cited.to_dict(), "out": None if out is None else str(out)})
    if as_json:
        return
    say(cited.methods)
    say()
    say(cited.bibtex if out is None else f"BibTeX: {out}")
    if cited.unnamed:
        warn(f"no paper is named for: {', '.join(cited.unnamed)}")
    incomplete = [paper.key for paper in cited.papers if not paper.is_complete]
    if incomplete:
        warn(f"not all authors, or no title, are known of these; complete them before print: {', '.join(incomplete)}")


def add_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command("cite", epilog="Example: fusearch cite runs/first --pick best --out refs.bib")(cite)
