"""The application: gathers the commands."""

from __future__ import annotations

from typing import Annotated

import typer

from fusearch.cli import catalogue, designs, runs

__all__ = ["app"]

app = typer.Typer(
    name="fusearch",
    help="Search over multimodal fusion: when, which and how to fuse deep networks.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from fusearch import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def fusearch(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,  # read by its callback
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # read by main()
) -> None:
    """Search over multimodal fusion: when, which and how to fuse deep networks."""


catalogue.add_commands(app)
designs.add_commands(app)
runs.add_commands(app)
