"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "Data", "DataOption", "Device", "Epochs", "Folds", "MovedData", "RunFolder", "Seeds", "Select"]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Data = Annotated[str, typer.Argument(help="A data manifest (YAML), or the name of an embedded data set.", metavar="DATA")]
DataOption = Annotated[str, typer.Option("--data", help="A data manifest (YAML), or the name of an embedded data set.")]
MovedData = Annotated[
    str | None,
    typer.Option("--data", help="Where the data are now (default: where they were, from the run).", show_default=False, metavar="DATA"),
]
RunFolder = Annotated[Path, typer.Argument(help="The run folder of a search.", metavar="RUN")]
Folds = Annotated[
    int | None, typer.Option(min=1, help="Folds inside train + val (default: 5 below 5,000 samples, else 3).", show_default=False)
]
Seeds = Annotated[int, typer.Option(min=1, help="Seeds: each fold is trained this many times.")]
Epochs = Annotated[int, typer.Option(min=1, help="Most epochs a member is trained; early stopping may end it sooner.")]
Device = Annotated[
    str,
    typer.Option(
        help="Where to train: cpu, cuda, cuda:1, ...; auto is a GPU where there is one, for designs large enough for it to be faster."
    ),
]
Select = Annotated[
    str | None,
    typer.Option(
        "--select",
        help="What designs are ranked and picked by: metric, loss or both (default: what the search was told).",
        show_default=False,
    ),
]
