"""The help of every command: in groups, with words that people read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import typer.main

from fusearch.cli.app import app
from fusearch.settings import GROUPS

PROGRAM: Any = typer.main.get_command(app)


def test_the_options_of_search_stand_in_groups(fusearch: Callable[..., Any]) -> None:
    page = fusearch("search", "--help").out
    titles = re.findall(r"^(\w[\w ]*):$", page, re.MULTILINE)
    assert titles == ["Arguments", *GROUPS, "Options"]
    how_long = page.split("\nHow long:\n")[1].split("\n\n")[0]
    assert {"--trials", "--folds", "--time-limit"} <= set(re.findall(r"--[a-z-]+", how_long))
    assert "--sampler" not in how_long


@pytest.mark.parametrize("name", sorted(PROGRAM.commands))
def test_what_stands_for_a_value_is_a_word_that_people_read(name: str) -> None:
    command = PROGRAM.commands[name]
    context = command.make_context(name, [], resilient_parsing=True)
    arguments = re.findall(r"\S+", command.get_help(context).split(f"{name} [OPTIONS]")[1].split("\n\n")[0])
    assert all(re.fullmatch(r"[A-Z|]+(\.\.\.)?|\[[A-Z]+\]", word) for word in arguments), arguments
    assert not re.search(r"<\w+>", command.get_help(context))
    for parameter in command.get_params(context):
        if parameter.param_type_name == "option" and not parameter.is_flag:
            assert re.fullmatch(r"[A-Z]+(=[A-Z]+)?", parameter.metavar or ""), f"{name}: {parameter.opts}"


def test_the_data_and_the_pick_look_the_same_in_every_command() -> None:
    seen: dict[str, set[tuple[str, str]]] = {"--data": set(), "--pick": set()}
    for name, command in PROGRAM.commands.items():
        for parameter in command.get_params(command.make_context(name, [], resilient_parsing=True)):
            for option in seen.keys() & set(parameter.opts):
                seen[option].add((parameter.metavar, parameter.help if option == "--pick" else ""))
    assert {option: len(looks) for option, looks in seen.items()} == {"--data": 1, "--pick": 1}
