"""The page `docs/cli.md`, made from the commands themselves: `python -m fusearch.cli.help_page > docs/cli.md`."""

from __future__ import annotations

import sys
from typing import Any

import typer.main

__all__ = ["reference_page"]

_WIDTH = 80


def reference_page() -> str:
    """Return the help of the program and of every command, as Markdown.

    Example:
        >>> "## fusearch search" in reference_page()
        True
    """
    from fusearch.cli.app import app

    program: Any = typer.main.get_command(app)
    parts = [
        "# Command line",
        "",
        "Made from `--help`; change the options, then `make reference`.",
        "",
        *_section(program, "fusearch", None),
    ]
    context = _context(program, "fusearch", None)
    for name in program.list_commands(context):
        parts += _section(program.get_command(context, name), name, context)
    return "\n".join(parts).rstrip() + "\n"


def _section(command: Any, name: str, parent: Any) -> list[str]:
    context = _context(command, name, parent)
    return [f"## {context.command_path}", "", "```text", command.get_help(context).rstrip(), "```", ""]


def _context(command: Any, name: str, parent: Any) -> Any:
    return command.make_context(name, [], parent=parent, resilient_parsing=True, terminal_width=_WIDTH)


if __name__ == "__main__":
    sys.stdout.write(reference_page())
