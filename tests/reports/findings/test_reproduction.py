from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from planted_runs import TEAMED, planted_trials

from fusearch.contracts import Objective
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.reproduction import (
    Workplace,
    command_line,
    commands_and_note,
    export_command,
    identity,
    places,
    resolved_configuration,
    team_command,
)
from fusearch.run import Run
from fusearch.study import TrialRecord
from fusearch.trials import Trials

CONFIG = {
    "fusearch": "0.1.0",
    "space": {"fingerprint": "ab12", "max_fusions": 3},
    "evaluator": {"settings": {"epochs": 60, "folds": 5, "seeds": 1}, "data": {"source": "my data.yaml", "fingerprint": "3f9c"}},
    "search": {"trials": 60, "sampler": "tpe", "executor": "ray", "workers": None, "seed": 0},
    "versions": {"python": "3.11.9"},
}


def found(config: dict[str, object]) -> Findings:
    return Findings(Trials((), (Objective.parse("auroc"), Objective.parse("macs<=1e6")), config))


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["search", "a b.yaml", "--out", "runs/x"], "fusearch search 'a b.yaml' --out NEW_FOLDER"),
        (
            ["--plugin", "own.py", "search", "d", "--out=runs/x", "--resume", "--operator", "mine", "--require", "rna", "--json"],
            "fusearch --plugin own.py search d --operator mine --require rna --out NEW_FOLDER",
        ),
    ],
)
def test_the_command_is_the_one_that_made_the_run_in_another_folder(words: list[str], command: str) -> None:
    assert command_line(found({"command": ["fusearch", *words]})) == command


def test_a_search_in_python_has_no_command() -> None:
    assert commands_and_note(found({**CONFIG, "command": None}))[1].startswith("The search was called from Python")
    assert commands_and_note(found(CONFIG))[1].startswith("The run was made by a version of fusearch that kept no command")


def test_what_went_on_with_a_run_otherwise_is_told_too() -> None:
    first = ["fusearch", "search", "d", "--design", "a@L ->", "--out", "x"]
    config = {
        "command": first,
        "resumed": [[*first, "--resume"], ["fusearch", "search", "d", "--out", "x", "--resume", "--trials", "9"], None],
    }
    assert commands_and_note(found({**CONFIG, **config})) == (
        [
            "fusearch search d --design 'a@L ->' --out NEW_FOLDER",
            "fusearch search d --trials 9 --resume --out NEW_FOLDER",
            "# resumed from Python",
        ],
        "",
    )


def test_what_identifies_the_run() -> None:
    facts = dict(identity(found(CONFIG)))
    assert facts == {
        "Data": "my data.yaml",
        "Data fingerprint": "3f9c",
        "Search space fingerprint": "ab12",
        "Seed": "0",
        "fusearch": "0.1.0",
        "python": "3.11.9",
    }


def test_what_ran_where_is_told() -> None:
    where = [("node-a", "cpu", 7), ("node-a", "cpu", 8), ("node-b", "cuda:0 (NVIDIA H100)", 7), ("node-a", "cpu", 7)]
    records = [
        TrialRecord(number=number, state="complete", details=dict(zip(("host", "device", "worker"), each, strict=True)))
        for number, each in enumerate(where)
    ]
    records += [replace(records[0], number=4, repeat_of=0), TrialRecord(number=5, state="failed", reason="node lost")]
    told = Findings(Trials(tuple(records), (Objective.parse("auroc"), Objective.parse("macs")), CONFIG))
    assert [(place.host, place.workers, place.designs) for place in places(told)] == [("node-a", 2, 3), ("node-b", 1, 1)]
    assert dict(identity(told))["Ran on"] == ("cpu on node-a: 3 designs by 2 workers, cuda:0 (NVIDIA H100) on node-b: 1 design by 1 worker")
    assert str(Workplace(None, "cpu", 0, 60)) == "cpu: 60 designs"  # a run of an earlier version


def test_the_configuration_is_yaml_and_whole() -> None:
    assert yaml.safe_load(resolved_configuration(found(CONFIG))) == CONFIG


def test_the_command_that_exports_the_recommended_design(make_run: Callable[..., Run]) -> None:
    run = make_run(6)
    assert export_command(read_findings(run)) == f"fusearch export {run.path} --out {run.path / 'export'}"
    assert export_command(read_findings(make_run(0))) is None
    asked = read_findings(Run(run.path, select="metric"))
    assert export_command(asked) == f"fusearch export {run.path} --select metric --out {run.path / 'export'}"


def test_a_team_has_a_command_only_where_the_estimate_after_selection_recommends_it(tmp_path: Path) -> None:
    better = Findings(planted_trials(tmp_path / "better", TEAMED, rows=900))
    assert better.answers.team.recommended
    assert team_command(better) == f"fusearch export {tmp_path}/better --pick team --out {tmp_path}/better/export-team"
    assert team_command(better, Path("runs/b")) == "fusearch export runs/b --pick team --out runs/b/export-team"
    noise = Findings(planted_trials(tmp_path / "noise", [(formula, 0.0, None) for formula, _, _ in TEAMED], rows=120, seed=1))
    assert len(noise.answers.team.trials) > 1
    assert (noise.answers.team.recommended, team_command(noise)) == (False, None)
