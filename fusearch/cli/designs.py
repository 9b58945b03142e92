"""Commands about one design: `show` explains it, `evaluate` trains it."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from fusearch.cli.options import AsJson, DataOption, Epochs, Folds, Seeds
from fusearch.cli.output import document, figure, say, show_table
from fusearch.evaluators.training.training_settings import TrainingSettings

__all__ = ["add_commands"]

Formula = Annotated[str, typer.Argument(help="A design in text form; ';' or a newline between its lines.", metavar="FORMULA")]


def show(
    formula: Formula, data: Annotated[str | None, typer.Option("--data", help="The data set it is for.")] = None, as_json: AsJson = False
) -> None:
    """Explain a design: its text, labels, and with --data its streams, parameters and MACs. Patterns are explained too."""
    from fusearch.search_space import FusionGraph, FusionPattern, parse

    modalities: tuple[Any, ...] = ()
    loaded = None
    if data is not None:
        from fusearch.data import load_data

        loaded = load_data(data)
        modalities = loaded.modalities
    design = parse(formula, modalities)
    facts: dict[str, Any] = {"formula": str(design), "labels": design.labels.to_dict()}
    if isinstance(design, FusionPattern):
        facts["pattern"] = True
    if isinstance(design, FusionGraph):
        facts = {"digest": design.digest, **facts, "review": str(design.to_pattern())}
        facts["streams"] = [
            {"stream": stream.name, "modality": stream.modality, "encoder": stream.encoder, "stages": design.num_stages(stream.name)}
            for stream in design.streams
        ]
        if loaded is not None:
            from fusearch.evaluators import TrainingEvaluator
            from fusearch.search_space import Candidate, Recipe

            evaluator, candidate = TrainingEvaluator(loaded), Candidate(design, Recipe())
            facts.update({name: int(value) for name, value in evaluator.cheap(candidate).items()})
            dead, groups = evaluator.never_trained(candidate)
            facts["never_trained"] = {"parameters": dead, "of": groups}
    with document(as_json) as write:
        write(facts)
    if as_json:
        return
    say(facts["formula"])
    say()
    if "review" in facts:
        say(facts["review"])
        say()
    if "streams" in facts:
        show_table(facts["streams"], ("stream", "modality", "encoder", "stages"))
        say()
    rows = [{"fact": name, "value": value} for name, value in {**facts["labels"], **_extra(facts)}.items()]
    show_table(rows, ("fact", "value"))

    dead = facts.get("never_trained", {"parameters": []})
    if dead["parameters"]:
        say()
        say(f"{len(dead['parameters'])} of {dead['of']} groups of parameters are never trained: {', '.join(dead['parameters'])}")


def _extra(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in ("digest", "parameters", "macs") if name in facts}


def evaluate(
    formula: Formula,
    data: DataOption,
    folds: Folds = None,
    seeds: Seeds = 1,
    epochs: Epochs = TrainingSettings.epochs,
    learning_rate: Annotated[float | None, typer.Option(help="Learning rate.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Weight decay.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Dropout.")] = None,
    width: Annotated[int | None, typer.Option(help="Width of hidden layers.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train one design on every fold and seed, and print its metrics with their spread."""
    from fusearch.contracts import Budget
    from fusearch.data import load_data
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search_space import Candidate, FusionGraph, Recipe

    given: dict[str, Any] = {"learning_rate": learning_rate, "weight_decay": weight_decay, "dropout": dropout, "width": width}
    with document(as_json) as write:
        dataset = load_data(data)
        graph = FusionGraph.parse(formula, dataset.modalities)
        candidate = Candidate(graph, Recipe(**{name: value for name, value in given.items() if value is not None}))
        evaluator = TrainingEvaluator(dataset, folds=folds, seeds=seeds, epochs=epochs)
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
    app.command("show", epilog="Example: fusearch show 'F1 = cat(mean@1, worst@L) ->' --data wisconsin")(show)
    app.command("evaluate", epilog="Example: fusearch evaluate 'F1 = cat(mean@L, worst@L) ->' --data wisconsin --epochs 20")(evaluate)
