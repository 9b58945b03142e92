"""The command line: a thin skin over the Python API. Every command is a few lines."""

from __future__ import annotations

import re
import sys
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer.exceptions import TyperException

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exit code 0 for success, 2 for anything that fusearch refuses, 1 for a defect, 130 for Ctrl-C.

    A refusal is one message on standard error; `--debug` adds the traceback.
    """
    from typer.exceptions import TyperException

    from fusearch.cli.app import app
    from fusearch.errors import FusearchError

    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"] or ["--help"]
    try:
        sys.exit(app(args=arguments, prog_name="fusearch", standalone_mode=False))
    except TyperException as error:
        _complain(f"error: {_usage(error)}", debug)
        sys.exit(2)
    except FusearchError as error:
        _complain(f"error: {error}", debug)
        sys.exit(2)
    except KeyboardInterrupt:
        _complain("stopped", debug)
        sys.exit(130)
    except Exception as error:
        _complain(f"internal error: {type(error).__name__}: {error} (add --debug for the traceback, and please report it)", debug)
        sys.exit(1)


def _usage(error: TyperException) -> str:
    """Say in one line what is wrong with the arguments: the option, the value, what was expected, where to read on."""
    from pydantic import ValidationError

    from fusearch.errors import suggestion

    text = " ".join(error.format_message().split())
    if isinstance(error.__cause__, ValidationError):  # typer leaves the value out
        found = error.__cause__.errors()[0]["input"]
        choices = re.findall(r"'(\w+)'", text.partition(" is not one of ")[2])
        text = f"{text.partition(': ')[0]}: {found!r}: {suggestion(found, choices)}" if choices else f"{text}, found {found!r}"
    context = getattr(error, "ctx", None)
    return f"{text} (see `{'fusearch' if context is None else context.command_path} --help`)"


def _complain(message: str, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    sys.stderr.write(message + "\n")
