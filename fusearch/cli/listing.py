"""Commands about what there is: `check` looks at data, `list` at operators, encoders, published designs, samplers, tasks, metrics, ..."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusearch.amounts import amount
from fusearch.cli.options import AsJson, Data, NamedData, data_of
from fusearch.cli.output import document, say, show_table
from fusearch.cli.studies import check_filters, study_rows

if TYPE_CHECKING:
    from fusearch.search_space.entries.parameter import Param

__all__ = ["add_commands", "show_check"]


class What(StrEnum):
    """What `fusearch list` lists."""

    operators = "operators"
    encoders = "encoders"
    designs = "designs"
    statistics = "statistics"
    samplers = "samplers"
    strategies = "strategies"
    kinds = "kinds"
    data = "data"
    tasks = "tasks"
    metrics = "metrics"


def check(data: Data = None, named: NamedData = None, as_json: AsJson = False) -> None:
    """Look at a data set before searching on it: counts, shapes, missing values, class balance, leaks."""
    from fusearch.evaluators.checked import check as look_at

    with document(as_json) as write:
        found = look_at(data_of(data, named))
        write(found.to_dict())
    if not as_json:
        show_check(found.to_dict())
    if not found.ok:
        raise typer.Exit(2)


def show_check(found: Mapping[str, Any], nothing: str = "No problems found.") -> None:
    """Print what `check_data` found, as a document; `nothing` where it found no problem."""
    from fusearch.reports.wording import metric_label, sentence_case

    if found["task"]:
        say(f"{found['samples']} samples")
        levels = found["task"]["chance"].items()
        chance = [f"{sentence_case(metric_label(name))} of a guess: {value:.3f}." for name, value in levels]
        say(" ".join(filter(None, [f"{found['task']['kind']} of {found['task']['name']}.", found["task"]["note"], *chance])))
    for first in ("modality", "split"):
        facts = found["modalities" if first == "modality" else "splits"]
        if facts:
            rows = [{name: amount(value) if isinstance(value, float) else value for name, value in told.items()} for told in facts.values()]
            show_table([{first: name, **told} for name, told in zip(facts, rows, strict=True)], _columns(first, facts))
    if found["task"]:
        say()
    show_table(found["problems"], ("severity", "where", "what")) if found["problems"] else say(nothing)


def _columns(first: str, table: dict[str, Any]) -> list[str]:
    return [first, *dict.fromkeys(name for facts in table.values() for name in facts)]


def list_names(
    what: Annotated[What, typer.Argument(help=f"What to list: {', '.join(What)}. Statistics are the review's counts, from its formulas.")],
    kind: Annotated[list[str] | None, typer.Option(help="Designs with a modality of that kind; repeat it.", metavar="NAME")] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Designs for that task, such as survival; repeat it for one of several.", metavar="NAME")
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option("--class", help="Designs with an operator of that class, such as attention; repeat it.", metavar="NAME"),
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="Designs with that label, such as gradual; repeat it.", metavar="NAME")] = None,
    data: Annotated[
        str | None, typer.Option("--data", help="Say of each design whether it fits that data set, and why not.", metavar="DATA")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what the language of designs and the search know."""
    given = {"--kind": kind, "--task": task, "--class": family, "--label": label, "--data": data}
    if what is not What.designs:
        check_filters(what, given)
        rows, columns = _rows(what)
    else:
        loaded = None
        if data is not None:
            from fusearch.data import load_data

            loaded = load_data(data)
        rows = study_rows(kinds=kind or (), tasks=task or (), classes=family or (), labels=label or (), data=loaded)
        columns = ("key", "number", "modalities", "task", "operators", "labels", "differs in", *(() if data is None else ("fits",)))
    with document(as_json) as write:
        write(rows)
    if not as_json:
        show_table(rows, columns)


def _rows(what: What) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    if what is What.operators:
        from fusearch.search_space import OPERATORS

        rows = [
            {
                "name": operator.name,
                "family": operator.family,
                "symbol": operator.symbol,
                "arguments": f"{operator.min_args}{'+' if operator.max_args is None else f'..{operator.max_args}'}",
                "symmetric": operator.symmetric,
                "ports": operator.ports,
                **_params(operator.params),
                "equation": operator.equation,
                "reference": operator.reference,
                "differs": operator.differs,
            }
            for operator in OPERATORS.values()
        ]
        return rows, ("name", "symbol", "family", "arguments", "defaults")
    if what is What.encoders:
        from fusearch.search_space import ENCODERS
        from fusearch.search_space.entries.encoder import SIZES
        from fusearch.search_space.entries.parameter import complete_params

        rows = [
            {
                "name": encoder.name,
                "kinds": list(encoder.loadable_kinds),
                "stages": encoder.stages,
                "names": list(encoder.stage_names(complete_params({}, encoder.params, encoder.name))),
                **_params(encoder.params),
                "sizes": {size: encoder.of_size(size) for size in SIZES},
                "reference": encoder.reference,
            }
            for encoder in ENCODERS.values()
            if encoder.loadable_kinds
        ]
        return rows, ("name", "kinds", "stages", "defaults", "sizes")
    if what is What.kinds:
        from fusearch.data.kinds import KINDS
        from fusearch.data.readers import READERS

        rows = [
            {
                "name": kind.name,
                "files": [suffix for name in kind.formats for suffix in READERS[name].suffixes],
                "array": kind.legend,
                "encoder": kind.layouts[0].encoder,
                "about": kind.about,
            }
            for kind in KINDS.values()
            if kind.loadable
        ]
        return rows, ("name", "files", "array", "encoder", "about")
    if what is What.statistics:
        from fusearch.search_space.published import review_statistics

        counted = [{"counted": count.group, "as": count.name, "number": count.count} for count in review_statistics()]
        return counted, ("counted", "as", "number")
    if what is What.data:
        from fusearch.data import DATA_SETS

        rows = [{"name": entry.name, "about": entry.summary, "reference": entry.reference} for entry in DATA_SETS.values()]
        return rows, ("name", "about", "reference")
    if what is What.tasks:
        from fusearch.tasks import TASKS

        rows = [
            {"name": entry.kind, "columns": list(entry.columns), "headline": entry.headline, "about": _summary(entry)}
            for entry in TASKS.values()
        ]
        return rows, ("name", "columns", "headline", "about")
    if what is What.metrics:
        from fusearch.metrics import METRICS

        rows = [
            {"name": entry.name, "direction": entry.direction, "tasks": list(entry.kinds), "about": entry.summary}
            for entry in METRICS.values()
        ]
        return rows, ("name", "direction", "tasks", "about")
    if what is What.strategies:
        from fusearch.search.strategies import STRATEGIES

        return [{"name": name, "about": _summary(STRATEGIES[name])} for name in STRATEGIES], ("name", "about")
    from fusearch.search import SAMPLERS

    return [{"name": name, "about": _summary(SAMPLERS[name])} for name in SAMPLERS], ("name", "about")


def _params(params: Mapping[str, Param]) -> dict[str, Any]:
    choices = {name: list(param.choices) for name, param in params.items()}
    return {"defaults": {name: param.default for name, param in params.items()}, "choices": choices}


def _summary(thing: object) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]


def add_commands(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("check", epilog="Example: fusearch check lgg.yaml")(check)
    app.command("list", epilog="Example: fusearch list operators --json")(list_names)
