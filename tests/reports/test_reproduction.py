from __future__ import annotations

import shlex

import yaml

from fusearch.contracts import Objective
from fusearch.reports.findings import Findings
from fusearch.reports.reproduction import command_line, identity, resolved_configuration

CONFIG = {
    "fusearch": "0.1.0",
    "space": {"fingerprint": "ab12", "max_fusions": 3},
    "evaluator": {"settings": {"epochs": 60, "folds": 5, "seeds": 1}, "data": {"source": "my data.yaml", "fingerprint": "3f9c"}},
    "search": {"trials": 60, "sampler": "tpe", "executor": "ray", "workers": None, "seed": 0},
    "versions": {"python": "3.11.9"},
}


def found(config: dict[str, object]) -> Findings:
    return Findings((), (Objective.parse("auroc"), Objective.parse("macs<=1e6")), config=config)


def test_the_command_repeats_the_search() -> None:
    command = command_line(found(CONFIG))
    assert command is not None
    words = shlex.split(command)
    assert words[:3] == ["fusearch", "search", "my data.yaml"]
    assert words[3:7] == ["--objective", "auroc", "--objective", "macs<=1e+06"]
    options = dict(zip(words[7::2], words[8::2], strict=True))
    assert options == {
        "--trials": "60",
        "--sampler": "tpe",
        "--executor": "ray",
        "--seed": "0",
        "--epochs": "60",
        "--folds": "5",
        "--seeds": "1",
        "--max-fusions": "3",
        "--out": "NEW_FOLDER",
    }
    assert Objective.parse("macs<=1e+06").bound == 1e6


def test_an_evaluator_of_ones_own_has_no_command() -> None:
    assert command_line(found({"evaluator": {"name": "my.evaluate"}})) is None


def test_a_command_that_the_run_states_is_taken_as_it_is() -> None:
    assert command_line(found({"command": ["fusearch", "search", "a b.yaml"]})) == "fusearch search 'a b.yaml'"


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


def test_the_configuration_is_yaml_and_whole() -> None:
    assert yaml.safe_load(resolved_configuration(found(CONFIG))) == CONFIG
