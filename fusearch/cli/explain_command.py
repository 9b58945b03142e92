"""The command `explain`: what a design of a search hangs on."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from fusearch.cli.options import AsJson, Device, MovedData, Pick, RunFolder
from fusearch.cli.output import document, say, show_table

__all__ = ["add_commands"]

#: Features of each modality that are printed; the report shows more, the file has all.
_TOP = 5


def explain(
    run: RunFolder,
    pick: Pick = "simplest",
    metric: Annotated[
        str | None, typer.Option(help="What is compared (default: the run's first metric).", metavar="NAME", show_default=False)
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Permutations for each member and modality.", metavar="N")] = 10,
    features: Annotated[bool, typer.Option(help="Attribute single features too; needs captum.")] = True,
    device: Device = "auto",
    data: MovedData = None,
    as_json: AsJson = False,
) -> None:
    """Measure what a design hangs on: modalities taken away and shuffled, and single features; added to the report.

    Of a team each design is measured.
    """
    from fusearch.evaluators.explanation.explain import explain_each
    from fusearch.reports import write_report
    from fusearch.run import Run

    with document(as_json) as write:
        opened = Run(run)
        paths = explain_each(opened, pick, data=data, metric=metric, repeats=repeats, features=features, device=device)
        told = [{**json.loads(path.read_text(encoding="utf-8")), "explanation": str(path)} for path in paths]
        page = str(write_report(opened))
        write({**told[0], "report": page} if len(told) == 1 else {"designs": told, "report": page})
    if as_json:
        return
    for facts in told:
        _say_design(facts)
    say(f"Report: {page}")


def _say_design(facts: dict[str, Any]) -> None:
    say(facts["formula"])
    say()
    effects = [{**effect, "loss": effect["drop"], "95 % interval": _interval(effect)} for effect in facts["effects"]]
    show_table(
        effects, ("modality", "how", "loss", "95 % interval"), title=f"Loss of {facts['metric']}, mean of {facts['members']} members"
    )
    if facts["shares"]:
        say()
        show_table(facts["shares"], ("name", "kind", "mean", "spread"), title="Share of the weights that leave the joined scores")
    foremost = _foremost(facts["features"])
    if foremost:
        say()
        show_table(foremost, ("modality", "feature", "attribution", "spread"), title=f"Foremost {_TOP} columns of each table")
    say()


def _interval(effect: dict[str, Any]) -> str:
    return "" if effect["low"] is None else f"{effect['low']:.3f} to {effect['high']:.3f}"


def _foremost(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the foremost columns of each table; what else there is, is a map in the report."""
    rows = []
    for told in features:
        named = sorted(zip(told["mean"], told["names"], told["spread"], strict=False), key=lambda entry: -entry[0])
        rows += [
            {"modality": told["modality"], "feature": name, "attribution": mean, "spread": spread} for mean, name, spread in named[:_TOP]
        ]
    return rows


def add_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command("explain", epilog="Example: fusearch explain runs/first --pick simplest --metric auroc")(explain)
