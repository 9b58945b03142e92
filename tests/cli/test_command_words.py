import os
from typing import Any

import typer
from typer.testing import CliRunner

from fusearch.cli.command_words import RememberingGroup, words_of_command
from fusearch.registry import PLUGINS

app = typer.Typer(cls=RememberingGroup)
seen: list[Any] = []


@app.callback()
def program(plugin: str = "") -> None:
    """A program with an option before its commands."""


@app.command()
def search(context: typer.Context, data: str, trials: int = 1) -> None:
    seen.append(words_of_command(context))


def test_plug_ins_of_the_environment_are_options() -> None:
    assert CliRunner().invoke(app, ["search", "d"], env={PLUGINS: f"a.py{os.pathsep}b.py"}).exit_code == 0
    assert seen.pop() == ["fusearch", "--plugin", "a.py", "--plugin", "b.py", "search", "d"]


def test_the_words_are_those_that_were_typed() -> None:
    words = ["--plugin", "own.py", "search", "a b", "--trials", "3"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert seen.pop() == ["fusearch", *words]
