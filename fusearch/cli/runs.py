"""Commands about a search: `search` runs it, `status` and `report` read it, `export` and `confirm` end it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusearch.cli.command_words import words_of_command
from fusearch.cli.options import AsJson, Data, Device, Epochs, Folds, MovedData, RunFolder, Seeds, Select
from fusearch.cli.output import document, say, show_table, warn
from fusearch.cli.settings_options import with_settings
from fusearch.evaluators.training.training_settings import TrainingSettings

if TYPE_CHECKING:
    from fusearch.reports.findings.findings import Findings
    from fusearch.run import Run

__all__ = ["add_commands"]


Pick = Annotated[
    str,
    typer.Option(
        help="Which design: simplest (cheapest within one standard error of the best), best, knee, best:METRIC, "
        "strategy (what the run's strategy ended with), a digest, or team (the mean of a few different ones)."
    ),
]


@with_settings
def search(
    context: typer.Context,
    data: Data,
    out: Annotated[Path, typer.Option(help="Run folder to make; with --resume, to go on with.")],
    objective: Annotated[
        list[str] | None,
        typer.Option(
            "--objective",
            "-o",
            help="What to optimize: NAME, NAME<=BOUND or NAME>=BOUND; repeat it. (default: the task's headline, such as auroc; macs)",
        ),
    ] = None,
    diversity: Annotated[
        str | None,
        typer.Option(help="Ensembles: correlation (default), q_statistic, disagreement, double_fault, kappa.", show_default=False),
    ] = None,
    max_per_modality: Annotated[
        int | None, typer.Option(min=1, help="Ensembles: most networks of a modality (default: 3).", show_default=False)
    ] = None,
    require: Annotated[
        list[str] | None, typer.Option(help="Ensembles: a modality that must take part; repeat it. (default: every one)")
    ] = None,
    fusion_operator: Annotated[
        str | None, typer.Option(help="forward-timing: the operator that is switched on (default: film).", show_default=False)
    ] = None,
    folds: Folds = None,
    seeds: Seeds = 1,
    epochs: Epochs = TrainingSettings.epochs,
    device: Device = "auto",
    pack: Annotated[str, typer.Option(help="Members of a design that are trained together: auto, off, or a number.")] = "auto",
    cache: Annotated[
        str, typer.Option(help="Most that streams which were trained alone take in the run folder, such as 500MB; 0 keeps none.")
    ] = "2GB",
    space: Annotated[Path | None, typer.Option(help="YAML file with settings of the search space: see docs/search.md.")] = None,
    max_fusions: Annotated[int | None, typer.Option(min=1, help="Most fusions in a design (default: 3).", show_default=False)] = None,
    encoder: Annotated[
        list[str] | None, typer.Option(help="Encoders of one modality, and candidates of a strategy: MODALITY=NAME,NAME; repeat it.")
    ] = None,
    operator: Annotated[
        list[str] | None, typer.Option(help="Operators to search, or all; repeat it. (default: two or more of each class)")
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            help="Search only designs of a formula in which letters, `?` and classes of operators are free: "
            "'F1 = ⊞(x1^3, x2^y) →'. (default: the whole language)",
            show_default=False,
        ),
    ] = None,
    design: Annotated[list[str] | None, typer.Option(help="A design to try first, as a formula; repeat it.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
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
        dataset = load_data(data)
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
                out=out,
                settings=Settings(**settings),
                first=first,
                resume=resume,
                progress=line,
                command=words_of_command(context),
            )
        found = read_findings(run)
        page = write_report(found)
        status = found.status()
        write({**status, "run": str(out), "report": str(page)})
    if not as_json:
        _show_status(status)
        _show_verdict(found, out)
        if found.published.asked:
            for sentence in found.published.sentences:
                say(f"- {sentence}")
        say(f"Report: {page}")
        if status["state"] != "finished":
            say(f"{status['reason']}. To go on: the same command with --resume.")
    if status["trials"]["failed"] and not status["trials"]["complete"]:
        records = run.records()
        reason = Counter(record.reason for record in records if record.state == "failed" and not record.interrupted).most_common(1)[0][0]
        warn(f"every evaluation failed: {str(reason).strip().splitlines()[0]}")
        raise typer.Exit(1)
    if str(status["reason"]).startswith("interrupted"):
        raise typer.Exit(130)  # as a shell says of a command that Ctrl-C ended


def status(run: RunFolder, select: Select = None, as_json: AsJson = False) -> None:
    """Tell where a search stands: trials, front, references. Works while it runs."""
    from fusearch.reports import read_findings
    from fusearch.run import Run

    with document(as_json) as write:
        opened = Run(run, select=select)
        facts = opened.status() if as_json else opened.read().status()  # the table has no answers: they come in words
        write(facts)
    if not as_json:
        _show_status(facts)
        if facts["state"] != "running":
            _show_verdict(read_findings(opened), run)


def _show_status(facts: dict[str, Any]) -> None:
    from fusearch.reports.findings.search_course import more_seeds_sentence, races_sentence

    trials = facts["trials"]
    say(f"{facts['state']}: " + ", ".join(f"{count} {name}" for name, count in trials.items() if count or name == "complete"))
    for sentence in filter(None, (races_sentence(facts["races"]), more_seeds_sentence(facts["more_seeds"]))):
        say(sentence)
    for reason, count in facts["refused"].items():
        say(f"not trained, {count} times: {reason}")
    for reason, count in facts["in_the_loop"].items():
        say(f"trained one member after the other, {count} times: {reason}")
    streams = facts["streams"]
    if streams["asked"]:
        kept = f"{streams['found']} of them taken from what is kept ({streams['bytes'] / 1e6:.1f} MB)"
        say(f"streams trained alone: {streams['asked']}, {kept}")
    names = [objective["name"] for objective in facts["objectives"]]
    if facts["front"]:
        say()
        show_table(_rows(facts["front"], names), ("digest", *names, "formula"), title="Pareto front")
    if facts["references"]:
        references = [
            {"reference": role, **row} for role, row in zip(facts["references"], _rows(facts["references"].values(), names), strict=True)
        ]
        say()
        by = " and ".join(facts["picked_by"])
        show_table(references, ("reference", *names, "formula"), title=f"References, the best of each role by {by}")


def _show_verdict(found: Findings, folder: Path) -> None:
    """Print the answers of a run, and what to do next."""
    from fusearch.reports import judge
    from fusearch.reports.findings.reproduction import export_command, team_command

    verdict = judge(found)
    say()
    say(verdict.headline)
    for sentence in verdict.sentences:
        say(f"- {sentence}")
    command = export_command(found, folder)
    if command is not None:
        say(f"Next: {command}")
    together = team_command(found, folder)
    if together is not None:
        say(f"Or the team: {together}")


def _rows(records: Any, names: list[str]) -> list[dict[str, Any]]:
    return [{**record, **{name: record["values"].get(name) for name in names}} for record in records]


def repair(run: RunFolder, as_json: AsJson = False) -> None:
    """Repair the journal of a run with damaged lines: keep what can be read, and say what was lost."""
    from fusearch.search.journal_repair import repair as repair_run

    with document(as_json) as write:
        found = repair_run(run)
        backup = None if found.backup is None else str(found.backup)
        write({"lost": list(found.lost), "placeholders": list(found.placeholders), "kept": found.kept, "backup": backup})
    if as_json:
        return
    if backup is None:
        say(f"Nothing is damaged: {found.kept} lines.")
        return
    lost = ", ".join(map(str, found.lost[:10])) + (", ..." if len(found.lost) > 10 else "")
    say(f"Kept {found.kept} lines; lost {len(found.lost)}: {lost}. The damaged journal: {backup}")
    if found.placeholders:
        say(f"Trials of which nothing is left but what came later: {', '.join(map(str, found.placeholders))}")


def report(
    run: RunFolder,
    out: Annotated[Path | None, typer.Option(help="Folder for the report (default: the run folder).", show_default=False)] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Folder for the figures as SVG and PDF files, for a paper (default: none).", show_default=False)
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="Column of the data's tables, such as sex or site, whose levels are scored apart; repeat it. Later reports have it too. "
            "(default: those of the last time)"
        ),
    ] = None,
    data: MovedData = None,
    select: Select = None,
    as_json: AsJson = False,
) -> None:
    """Write the report of a search: one HTML page, and its facts as CSV, JSON and Markdown."""
    from fusearch.reports import keep_levels, read_findings, write_figures, write_report
    from fusearch.run import Run

    with document(as_json) as write:
        if by:
            from fusearch.evaluators.export.choice import load_choice_data

            opened = Run(run)
            keep_levels(opened, by, load_choice_data(opened, data))
        found = read_findings(Run(run, select=select))
        page = write_report(found, out)
        drawn = [] if figures is None else write_figures(found, figures)
        write({"report": str(page), **({} if figures is None else {"figures": [str(path) for path in drawn]})})
    if not as_json:
        for path in (page, *drawn):
            say(str(path))
    if figures is not None:
        from fusearch.reports.figures.pdf import NO_PDF, can_write_pdf

        if not can_write_pdf():
            warn(NO_PDF)


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of two or more searches with the same objectives.", metavar="RUN...")],
    out: Annotated[Path | None, typer.Option(help="HTML page to write.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Set several runs side by side, such as one search with several seeds: fronts, hypervolumes, answers."""
    from fusearch.reports.findings.compared import read_compared
    from fusearch.reports.page.comparison import compare_runs, comparison_rows, comparison_sentences

    with document(as_json) as write:
        found = read_compared(runs)
        page = None if out is None else compare_runs(found, out)
        write({**found.to_dict(), "page": None if page is None else str(page)})
    for warning in found.warnings:
        warn(warning)
    if not as_json:
        rows = comparison_rows(found)
        show_table(rows, tuple(rows[0]))
        for sentence in comparison_sentences(found):
            say(sentence)
        if page is not None:
            say(f"Page: {page}")


def export(
    run: RunFolder,
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    pick: Pick = "simplest",
    seeds: Annotated[int, typer.Option(min=1, help="Networks to train on train + val; their outputs are averaged.")] = 3,
    formats: Annotated[
        str, typer.Option("--format", help="What the model is written as: some of onnx, pt2, module, with commas between.")
    ] = "onnx,pt2",
    device: Device = "auto",
    data: MovedData = None,
    select: Select = None,
    as_json: AsJson = False,
) -> None:
    """Refit one design on train + val and write a folder that runs without fusearch."""
    from fusearch.evaluators.export import export as export_design
    from fusearch.run import Run

    with document(as_json) as write:
        wanted = tuple(part.strip() for part in formats.split(",") if part.strip())
        folder = export_design(Run(run, select=select), out, data=data, pick=pick, seeds=seeds, formats=wanted, device=device)
        design, metrics = (json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("design", "metrics"))
        facts: dict[str, Any] = {
            "out": str(folder),
            "digest": design["digest"],
            "formula": design["formula"],
            "values": {name: value["mean"] for name, value in metrics["search"].items()},
            "files": sorted(path.name for path in folder.iterdir()),
        }
        write(facts)
    if not as_json:
        say(f"Exported {facts['digest']} to {facts['out']}: {', '.join(facts['files'])}")
        say(facts["formula"])


def confirm(
    run: RunFolder,
    pick: Pick = "simplest",
    device: Device = "auto",
    data: MovedData = None,
    select: Select = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate the picked design, the references and the front on the test split; looks are counted."""
    from fusearch.evaluators.export import confirm as confirm_run
    from fusearch.reports import read_findings, write_report
    from fusearch.reports.findings.looks import pick_sentence
    from fusearch.run import Run

    with document(as_json) as write:
        opened = Run(run, select=select)
        facts = confirm_run(opened, pick=pick, data=data, device=device)
        found = read_findings(opened)
        write_report(found)
        write(facts)
    if not as_json:
        name = opened.primary.name
        rows = [{**row, f"test {name}": row["values"].get(name), f"search {name}": row["search"].get(name)} for row in facts["designs"]]
        title = f"Look {facts['look']} at the test split ({facts['samples']} samples)"
        for warning in facts["warnings"]:
            warn(warning)
        show_table(rows, ("role", "digest", f"test {name}", f"search {name}", "formula"), title=title)
        _show_verdict(found, run)
        if facts["look"] > 1:
            say(f"This look: {pick_sentence(found.looks[-1], name)}")
            say("Only the first look counts: whoever changes the choice after it has searched on the test split.")


def add_commands(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("search", epilog="Example: fusearch search wisconsin --objective auroc --objective macs --trials 60 --out runs/first")(
        search
    )
    app.command("status", epilog="Example: fusearch status runs/first --json")(status)
    app.command("report", epilog="Example: fusearch report runs/first --figures figures")(report)
    app.command("compare", epilog="Example: fusearch compare runs/seed0 runs/seed1 --out compared.html")(compare)
    app.command("repair", epilog="Example: fusearch repair runs/first")(repair)
    app.command("export", epilog="Example: fusearch export runs/first --pick knee --out runs/first/export")(export)
    app.command("confirm", epilog="Example: fusearch confirm runs/first")(confirm)
