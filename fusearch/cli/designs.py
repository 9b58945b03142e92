"""Commands about one design: `show` explains it, `evaluate` trains it."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from fusearch.cli.options import ADVANCED, AsJson, DataOption, Device, Epochs, Folds, Seeds
from fusearch.cli.output import document, figure, say, show_table, warn
from fusearch.cli.settings_options import with_settings
from fusearch.cli.studies import show_study, study_facts_of
from fusearch.errors import FusearchError
from fusearch.evaluators.training.training_settings import TrainingSettings

__all__ = ["add_commands"]

Formula = Annotated[str, typer.Argument(help="A design in text form; ';' or a newline between its lines.", metavar="FORMULA")]


def show(
    formula: Annotated[
        str,
        typer.Argument(
            help="A design in text form, ';' or a newline between its lines; or the number or key of a published one: "
            "`fusearch list designs`.",
            metavar="FORMULA|KEY",
        ),
    ],
    data: Annotated[
        str | None, typer.Option("--data", help="The data set it is for; a published design is bound to it.", metavar="DATA")
    ] = None,
    drawing: Annotated[Path | None, typer.Option(help="SVG file to draw the design into.", show_default=False, metavar="PATH")] = None,
    as_json: AsJson = False,
) -> None:
    """Explain a design: its text, labels, and with --data its streams and its cost. Patterns are explained too.

    Of a published design also the paper, its formula in print and why it differs, its task, losses and headline result.
    """
    from fusearch.data import load_data
    from fusearch.evaluators.shown import show as explained
    from fusearch.search_space import FusionGraph

    loaded = None if data is None else load_data(data)
    shown = explained(formula, loaded)
    design, facts, study = shown.design, dict(shown.facts), shown.study
    if study is not None and isinstance(design, FusionGraph):
        facts["study"] = study_facts_of(study, design)
        used = {modality.name for modality in design.modalities}
        facts["left_out"] = [modality.name for modality in (() if loaded is None else loaded.modalities) if modality.name not in used]
    if drawing is not None:
        from fusearch.reports.figures.drawing import write_drawing

        if not isinstance(design, FusionGraph):
            raise FusearchError(f"--drawing {str(drawing)!r}: a pattern stands for many designs, expected one design")
        write_drawing(design, drawing)
        facts["drawing"] = str(drawing)
    with document(as_json) as write:
        write(facts)
    if as_json:
        return
    if "study" in facts:
        show_study(facts["study"])
        say("As built:" if loaded is None else f"Bound to {loaded.name}:")
    say(facts["formula"])
    if facts.get("left_out"):
        say(f"Left out of the design, which has fewer modalities: {', '.join(facts['left_out'])}")
    say()
    if "review" in facts:
        say(facts["review"])
        say()
    if "streams" in facts:
        show_table(facts["streams"], ("stream", "modality", "encoder", "stages"))
        say()
    rows = [{"fact": name, "value": value} for name, value in {**facts["labels"], **_extra(facts)}.items()]
    show_table(rows, ("fact", "value"))
    if facts.get("refused") is not None:
        warn(f"a search does not train it: {facts['refused']}")

    dead = facts.get("never_trained", {"parameters": []})
    if dead["parameters"]:
        say()
        say(f"{len(dead['parameters'])} of {dead['of']} groups of parameters are never trained: {', '.join(dead['parameters'])}")


def _extra(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in ("digest", "parameters", "macs", "memory", "drawing") if name in facts}


@partial(with_settings, only=("max_parameters", "max_memory"))
def evaluate(
    formula: Formula,
    data: DataOption,
    folds: Folds = None,
    seeds: Seeds = 1,
    epochs: Epochs = TrainingSettings.epochs,
    device: Device = "auto",
    learning_rate: Annotated[float | None, typer.Option(help="Learning rate.", metavar="N", rich_help_panel=ADVANCED)] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Weight decay.", metavar="N", rich_help_panel=ADVANCED)] = None,
    dropout: Annotated[float | None, typer.Option(help="Dropout.", metavar="N", rich_help_panel=ADVANCED)] = None,
    width: Annotated[int | None, typer.Option(help="Width of hidden layers.", metavar="N", rich_help_panel=ADVANCED)] = None,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Train one design on every fold and seed, and print its metrics with their spread."""
    from fusearch.contracts import Budget
    from fusearch.data import load_data
    from fusearch.errors import EvaluationError
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search_space import Candidate, FusionGraph, Recipe
    from fusearch.settings import Settings

    given: dict[str, Any] = {"learning_rate": learning_rate, "weight_decay": weight_decay, "dropout": dropout, "width": width}
    with document(as_json) as write:
        dataset = load_data(data)
        graph = FusionGraph.parse(formula, dataset.modalities)
        candidate = Candidate(graph, Recipe(**{name: value for name, value in given.items() if value is not None}))
        evaluator = TrainingEvaluator(dataset, folds=folds, seeds=seeds, epochs=epochs, device=device)
        refused = Settings(**settings).refusal(evaluator.cheap(candidate))
        if refused is not None:
            raise EvaluationError(refused)
        began = time.perf_counter()
        result = evaluator(candidate, Budget(), _ignore)
        facts: dict[str, Any] = {
            "digest": graph.digest,
            "formula": str(graph),
            "values": dict(result),
            "spread": dict(result.spread),
            "labels": graph.labels.to_dict(),
            "parameters": int(result["parameters"]),
            "macs": int(result["macs"]),
            "seconds": round(time.perf_counter() - began, 3),
        }
        write(facts)
    if not as_json:
        say(facts["formula"])
        rows = [{"metric": name, "mean": value, "spread": facts["spread"].get(name)} for name, value in facts["values"].items()]
        show_table(rows, ("metric", "mean", "spread"))
        say(f"{len(result.details['members'])} members in {figure(facts['seconds'])} s")


def _ignore(_step: int, _values: Any) -> None:
    """Take no notice of intermediate values."""


def add_commands(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("show", epilog="Example: fusearch show 'F1 = cat(mean@1, worst@L) ->' --data wisconsin; or: fusearch show mmdynamics")(show)
    app.command("evaluate", epilog="Example: fusearch evaluate 'F1 = cat(mean@L, worst@L) ->' --data wisconsin --epochs 20")(evaluate)
