"""Options that several commands share: the same words mean the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusearch.cli.run_argument import run_of
from fusearch.errors import FusearchError
from fusearch.settings import GROUPS

__all__ = ["AsJson", "Data", "DataOption", "Device", "Epochs", "Folds", "MovedData", "NamedData", "Pick", "RunFolder", "Seeds", "Select"]

#: What options are listed under, as settings are.
WHAT, HOW_LONG, WHERE, ADVANCED = GROUPS

_DATA = "A data manifest (YAML), or the name of an embedded data set"

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Data = Annotated[str | None, typer.Argument(help=f"{_DATA}.", metavar="DATA", show_default=False)]
NamedData = Annotated[str | None, typer.Option("--data", help=f"{_DATA}: DATA by its name.", metavar="DATA", rich_help_panel=WHAT)]
DataOption = Annotated[str, typer.Option("--data", help=f"{_DATA}.", metavar="DATA", rich_help_panel=WHAT)]
MovedData = Annotated[
    str | None,
    typer.Option(
        "--data",
        help=f"{_DATA} (default: that of the run, where it was).",
        show_default=False,
        metavar="DATA",
        rich_help_panel=WHAT,
    ),
]
RunFolder = Annotated[
    Path,
    typer.Argument(
        help="The run folder of a search (default: the only one here or in `runs`).",
        metavar="RUN",
        default_factory=Path,
        callback=run_of,
        show_default=False,
    ),
]
Pick = Annotated[
    str,
    typer.Option(
        "--pick",
        help="Which design: simplest (cheapest within one standard error of the best), best, knee, best:METRIC, "
        "strategy (what the run's strategy ended with), a digest, or team (the mean of a few different ones).",
        metavar="PICK",
        rich_help_panel=WHAT,
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Folds inside train + val (default: 5 below 5,000 samples, else 3).",
        show_default=False,
        metavar="N",
        rich_help_panel=HOW_LONG,
    ),
]
Seeds = Annotated[int, typer.Option(min=1, help="Seeds: each fold is trained this many times.", metavar="N", rich_help_panel=HOW_LONG)]
Epochs = Annotated[
    int,
    typer.Option(min=1, help="Most epochs a member is trained; early stopping may end it sooner.", metavar="N", rich_help_panel=HOW_LONG),
]
Device = Annotated[
    str,
    typer.Option(
        help="Where to train: cpu, cuda, cuda:1, ...; auto is a GPU where there is one, for designs large enough for it to be faster.",
        metavar="NAME",
        rich_help_panel=WHERE,
    ),
]
Select = Annotated[
    str | None,
    typer.Option(
        "--select",
        help="What designs are ranked and picked by: metric, loss or both (default: what the search was told).",
        show_default=False,
        metavar="NAME",
        rich_help_panel=ADVANCED,
    ),
]


def data_of(argument: str | None, named: str | None) -> str:
    """Return the data that a command was given, as its argument or by `--data`.

    Raises:
        FusearchError: It was given neither way, or both.
    """
    if argument is not None and named is not None:
        raise FusearchError(f"--data {named!r}: the data are given already, as {argument!r}")
    given = argument if named is None else named
    if given is None:
        raise FusearchError("no data are given: expected a manifest (YAML), or a name that `fusearch list data` lists")
    return given
