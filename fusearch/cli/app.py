"""The application: gathers the commands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from fusearch.cli import cite_command, designs, explain_command, init_command, listing, runs, search_command, serve_command, watch_command
from fusearch.cli.command_words import RememberingGroup
from fusearch.cli.grouped_help import GroupedCommand
from fusearch.registry import PLUGINS

__all__ = ["app"]

app = typer.Typer(
    name="fusearch",
    cls=RememberingGroup,
    help="Search over multimodal fusion: when, which and how to fuse deep networks.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from fusearch import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def fusearch(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,
    plugin: Annotated[
        list[Path] | None, typer.Option(help="A Python file that registers operators, encoders, ...; repeat it.", metavar="PATH")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Search over multimodal fusion: when, which and how to fuse deep networks."""
    if plugin:
        # Through the environment, so that worker processes load the same files.
        os.environ[PLUGINS] = os.pathsep.join([*map(str, (path.resolve() for path in plugin)), *filter(None, [os.environ.get(PLUGINS)])])


init_command.add_commands(app)
listing.add_commands(app)
designs.add_commands(app)
search_command.add_commands(app)
watch_command.add_commands(app)
runs.add_commands(app)
serve_command.add_commands(app)
explain_command.add_commands(app)
cite_command.add_commands(app)
for command in app.registered_commands:
    command.cls = GroupedCommand
