"""The command `search`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusearch.cli.command_words import words_of_command
from fusearch.cli.options import (
    ADVANCED,
    WHAT,
    WHERE,
    AsJson,
    Data,
    Device,
    Epochs,
    Folds,
    NamedData,
    Seeds,
    data_of,
)
from fusearch.cli.output import document, say, warn
from fusearch.cli.run_argument import new_run_folder, only_run
from fusearch.cli.runs import show_status, show_verdict
from fusearch.cli.settings_options import with_settings
from fusearch.evaluators.training.training_settings import TrainingSettings

if TYPE_CHECKING:
    from fusearch.run import Run

__all__ = ["add_commands"]


@with_settings
def search(
    context: typer.Context,
    data: Data = None,
    named: NamedData = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Run folder to make; with --resume, to go on with (default: runs/NAME-DATE; with --resume, the only run).",
            show_default=False,
            metavar="PATH",
            rich_help_panel=WHERE,
        ),
    ] = None,
    objective: Annotated[
        list[str] | None,
        typer.Option(
            "--objective",
            "-o",
            help="What to optimize: NAME, NAME<=BOUND or NAME>=BOUND; repeat it. (default: the task's headline, such as auroc; macs)",
            metavar="NAME",
            rich_help_panel=WHAT,
        ),
    ] = None,
    diversity: Annotated[
        str | None,
        typer.Option(
            help="Ensembles: correlation (default), q_statistic, disagreement, double_fault, kappa.",
            show_default=False,
            metavar="NAME",
            rich_help_panel=ADVANCED,
        ),
    ] = None,
    max_per_modality: Annotated[
        int | None,
        typer.Option(
            min=1, help="Ensembles: most networks of a modality (default: 3).", show_default=False, metavar="N", rich_help_panel=ADVANCED
        ),
    ] = None,
    require: Annotated[
        list[str] | None,
        typer.Option(
            help="Ensembles: a modality that must take part; repeat it. (default: every one)", metavar="NAME", rich_help_panel=ADVANCED
        ),
    ] = None,
    fusion_operator: Annotated[
        str | None,
        typer.Option(
            help="forward-timing: the operator that is switched on (default: film).",
            show_default=False,
            metavar="NAME",
            rich_help_panel=ADVANCED,
        ),
    ] = None,
    folds: Folds = None,
    seeds: Seeds = 1,
    epochs: Epochs = TrainingSettings.epochs,
    device: Device = "auto",
    pack: Annotated[
        str,
        typer.Option(help="Members of a design that are trained together: auto, off, or a number.", metavar="N", rich_help_panel=ADVANCED),
    ] = "auto",
    cache: Annotated[
        str,
        typer.Option(
            help="Most that streams which were trained alone take in the run folder, such as 500MB; 0 keeps none.",
            metavar="SIZE",
            rich_help_panel=ADVANCED,
        ),
    ] = "2GB",
    space: Annotated[
        Path | None,
        typer.Option(help="YAML file with settings of the search space: see docs/search.md.", metavar="PATH", rich_help_panel=WHAT),
    ] = None,
    max_fusions: Annotated[
        int | None,
        typer.Option(min=1, help="Most fusions in a design (default: 3).", show_default=False, metavar="N", rich_help_panel=WHAT),
    ] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            help="Encoders of one modality, and candidates of a strategy: MODALITY=NAME,NAME; repeat it.",
            metavar="MODALITY=NAME",
            rich_help_panel=WHAT,
        ),
    ] = None,
    operator: Annotated[
        list[str] | None,
        typer.Option(
            help="Operators to search, or all; repeat it. (default: two or more of each class)", metavar="NAME", rich_help_panel=WHAT
        ),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            help="Search only designs of a formula in which letters, `?` and classes of operators are free: "
            "'F1 = ⊞(x1^3, x2^y) →'. (default: the whole language)",
            show_default=False,
            metavar="FORMULA",
            rich_help_panel=WHAT,
        ),
    ] = None,
    design: Annotated[
        list[str] | None, typer.Option(help="A design to try first, as a formula; repeat it.", metavar="FORMULA", rich_help_panel=WHAT)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.", rich_help_panel=WHERE)] = False,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Search fusion designs for a data set; writes a run folder with the study and the report."""
    from fusearch.cli.composition import check_outputs, compose_evaluator, compose_objectives, compose_space, compose_strategy
    from fusearch.cli.live_line import LiveLine
    from fusearch.data import check_data, load_data
    from fusearch.errors import DataError
    from fusearch.evaluators.device import find_device
    from fusearch.reports import read_findings, write_report
    from fusearch.search import run_search
    from fusearch.search_space import FusionGraph
    from fusearch.settings import Settings

    with document(as_json) as write:
        if settings["address"] is None:  # nodes of a cluster have devices of their own
            find_device(device)
        if resume and (data or named) is None:
            raise DataError("no data are given: to go on with a run, give the command that began it once more, with --resume")
        dataset = load_data(data_of(data, named))
        folder = out or (only_run() if resume else new_run_folder(dataset.name))
        objectives = compose_objectives(objective, dataset)
        settings["strategy"] = compose_strategy(
            settings["strategy"],
            encoders=encoder,
            diversity=diversity,
            max_per_modality=max_per_modality,
            required=require,
            operator=fusion_operator,
        )
        searched = compose_space(
            dataset, objectives, file=space, encoders=encoder, operators=operator, max_fusions=max_fusions, pattern=pattern
        )
        evaluator = compose_evaluator(dataset, objectives, folds=folds, seeds=seeds, epochs=epochs, device=device, pack=pack, cache=cache)
        checked = check_data(dataset)
        for problem in checked.problems:
            if problem.severity == "error":
                raise DataError(f"{problem.where}: {problem.what}")
        for warning in checked.warnings:
            warn(warning)
        first = [FusionGraph.parse(formula, dataset.modalities) for formula in design or ()]
        check_outputs(dataset.task, searched, first)
        run: Run
        with LiveLine() as line:
            run = run_search(
                searched,
                evaluator,
                objectives=objectives,
                out=folder,
                settings=Settings(**settings),
                first=first,
                resume=resume,
                progress=line,
                command=words_of_command(context),
            )
        found = read_findings(run)
        page = write_report(found)
        status = found.status()
        write({**status, "run": str(folder), "report": str(page)})
    if not as_json:
        show_status(status)
        show_verdict(found, folder)
        if found.published.asked:
            for sentence in found.published.sentences:
                say(f"- {sentence}")
        say(f"Report: {page}")
        if status["state"] != "finished":
            say(f"{status['reason']}. To go on: the same command with --resume{'' if out else f' --out {folder}'}.")
    if status["trials"]["failed"] and not status["trials"]["complete"]:
        records = run.records()
        reason = Counter(record.reason for record in records if record.state == "failed" and not record.interrupted).most_common(1)[0][0]
        warn(f"every evaluation failed: {str(reason).strip().splitlines()[0]}")
        raise typer.Exit(1)
    if str(status["reason"]).startswith("interrupted"):
        raise typer.Exit(130)  # as a shell says of a command that Ctrl-C ended


def add_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command("search", epilog="Example: fusearch search wisconsin --objective auroc --objective macs --trials 60")(search)
