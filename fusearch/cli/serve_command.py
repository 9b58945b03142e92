"""The command `serve`: a bundle behind HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusearch.cli.options import ADVANCED, WHERE
from fusearch.cli.output import say
from fusearch.errors import ExportError

__all__ = ["add_commands"]


def serve(
    bundle: Annotated[Path, typer.Argument(help="The folder that `fusearch export` made.", metavar="BUNDLE")],
    host: Annotated[
        str,
        typer.Option(help="Address to listen at; only this machine reaches the default.", metavar="ADDRESS", rich_help_panel=WHERE),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: a free one.", metavar="N", rich_help_panel=WHERE)] = 8000,
    max_batch: Annotated[int, typer.Option(min=1, help="Most samples of a request.", metavar="N", rich_help_panel=ADVANCED)] = 256,
    max_bytes: Annotated[int, typer.Option(min=1, help="Most bytes of a request.", metavar="N", rich_help_panel=ADVANCED)] = 8_000_000,
    max_unpacked: Annotated[
        int, typer.Option(min=1, help="Most bytes of the files in zipped folders of a request.", metavar="N", rich_help_panel=ADVANCED)
    ] = 100_000_000,
) -> None:
    """Serve predictions of an exported bundle over HTTP; needs the extra `serve`. Requests are JSON, with files as base64.

    GET /health, POST /predict, GET /openapi.json. The bundle's own program reads and predicts. There is no login: put a proxy before it
    where others reach it.
    """
    try:
        import uvicorn

        from fusearch.serving.application import make_app
    except ImportError:
        raise ExportError("serving needs fastapi and uvicorn, which are not installed: pip install 'fusearch[serve]'") from None
    from fusearch.serving.served_bundle import ServedBundle

    app = make_app(ServedBundle(bundle), max_batch=max_batch, max_bytes=max_bytes, max_unpacked=max_unpacked)
    if host not in ("127.0.0.1", "::1", "localhost"):
        say(f"Whoever reaches {host} may ask this model; there is no login.")
    uvicorn.run(app, host=host, port=port, log_level="info")


def add_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command("serve", epilog="Example: fusearch serve runs/first/export")(serve)
