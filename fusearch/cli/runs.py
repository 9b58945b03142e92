"""Commands about a search: `status` and `report` read it, `export` and `confirm` end it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusearch.cli.options import (
    AsJson,
    Device,
    MovedData,
    Pick,
    RunFolder,
    Select,
)
from fusearch.cli.output import document, say, show_table, warn

if TYPE_CHECKING:
    from fusearch.reports.findings.findings import Findings

__all__ = ["add_commands", "show_status", "show_verdict"]


def status(run: RunFolder, select: Select = None, as_json: AsJson = False) -> None:
    """Tell where a search stands: trials, front, references. Works while it runs."""
    from fusearch.reports import read_findings
    from fusearch.run import Run

    with document(as_json) as write:
        opened = Run(run, select=select)
        facts = opened.status() if as_json else opened.read().status()  # the table has no answers: they come in words
        write(facts)
    if not as_json:
        show_status(facts)
        if facts["state"] != "running":
            show_verdict(read_findings(opened), run)
        if facts["state"] == "stopped":
            say(f"Stopped: {facts['reason']}.")


def show_status(facts: dict[str, Any]) -> None:
    """Print what `Run.status` tells."""
    from fusearch.reports.findings.search_course import more_seeds_sentence, races_sentence, trainings_sentences

    counts = {**facts["trials"]}
    if facts["state"] != "running" and counts["running"]:  # its driver was killed
        counts = {("unfinished" if name == "running" else name): count for name, count in counts.items()}
    say(f"{facts['state']}: " + ", ".join(f"{count} {name}" for name, count in counts.items() if count or name == "complete"))
    for sentence in filter(None, (races_sentence(facts["races"]), more_seeds_sentence(facts["more_seeds"]))):
        say(sentence)
    for reason, count in facts["refused"].items():
        say(f"not trained, {count} times: {reason}")
    for sentence in trainings_sentences(facts):
        say(sentence)
    weights = facts["weights"]
    if weights["networks"]:
        say(f"weights kept: {weights['networks']} networks of {weights['designs']} designs ({weights['bytes'] / 1e6:.1f} MB)")
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


def show_verdict(found: Findings, folder: Path) -> None:
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
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report (default: the run folder).", show_default=False, metavar="PATH")
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(help="Folder for the figures as SVG and PDF files, for a paper (default: none).", show_default=False, metavar="PATH"),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="Column of the data's tables, such as sex or site, whose levels are scored apart; repeat it. Later reports have it too. "
            "(default: those of the last time)",
            metavar="NAME",
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
    out: Annotated[Path | None, typer.Option(help="HTML page to write.", show_default=False, metavar="PATH")] = None,
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
    out: Annotated[Path, typer.Option(help="Folder to make.", metavar="PATH")],
    pick: Pick = "simplest",
    seeds: Annotated[int, typer.Option(min=1, help="Networks to train on train + val; their outputs are averaged.", metavar="N")] = 3,
    formats: Annotated[
        str,
        typer.Option("--format", help="What the model is written as: some of onnx, pt2, module, with commas between.", metavar="NAMES"),
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
        options = f"; its options: python {folder / 'predict.py'} --help" if "onnx" in wanted else ""
        say(f"How to run it: {folder / 'model_card.md'}{options}")


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
        show_verdict(found, run)
        if facts["look"] > 1:
            say(f"This look: {pick_sentence(found.looks[-1], name)}")
            say("Only the first look counts: whoever changes the choice after it has searched on the test split.")


def add_commands(app: typer.Typer) -> None:
    """Register this module's commands."""
    app.command("status", epilog="Example: fusearch status runs/first --json")(status)
    app.command("report", epilog="Example: fusearch report runs/first --figures figures")(report)
    app.command("compare", epilog="Example: fusearch compare runs/seed0 runs/seed1 --out compared.html")(compare)
    app.command("repair", epilog="Example: fusearch repair runs/first")(repair)
    app.command("export", epilog="Example: fusearch export runs/first --pick knee --out runs/first/export")(export)
    app.command("confirm", epilog="Example: fusearch confirm runs/first")(confirm)
