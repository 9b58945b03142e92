"""The command line: a thin skin over the Python API. Every command is a few lines."""

from __future__ import annotations

import sys
import traceback

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exit code 0 for success, 2 for anything that fusearch refuses, 1 for a defect, 130 for Ctrl-C.

    A refusal is one message on standard error; `--debug` adds the traceback.
    """
    from fusearch.cli.app import app
    from fusearch.errors import FusearchError

    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        app(args=arguments, prog_name="fusearch")
    except FusearchError as error:
        _complain(f"error: {error}", debug)
        sys.exit(2)
    except KeyboardInterrupt:
        _complain("stopped", debug)
        sys.exit(130)
    except Exception as error:
        _complain(f"internal error: {type(error).__name__}: {error} (add --debug for the traceback, and please report it)", debug)
        sys.exit(1)


def _complain(message: str, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    sys.stderr.write(message + "\n")
