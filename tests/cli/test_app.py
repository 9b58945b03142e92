from collections.abc import Callable
from typing import Any

import pytest
import typer.main

import fusearch as package
from fusearch.cli.app import app

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # a group has them


def test_version(fusearch: Callable[..., Any]) -> None:
    done = fusearch("--version")
    assert (done.code, done.out) == (0, f"{package.__version__}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, fusearch: Callable[..., Any]) -> None:
    done = fusearch(command, "--help")
    assert done.code == 0
    assert f"Example: fusearch {command}" in done.out


def test_an_unknown_command_gets_the_nearest(fusearch: Callable[..., Any]) -> None:
    done = fusearch("chek")
    assert done.code == 2
    assert "Did you mean 'check'?" in done.err


@pytest.mark.parametrize(("typed", "offered"), [("fusearch se", ["search", "serve"]), ("fusearch list sam", ["samplers"])])
def test_a_shell_that_asks_is_told_how_words_go_on(
    typed: str, offered: list[str], fusearch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--install-completion" in fusearch("--help").out
    monkeypatch.setenv("_FUSEARCH_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(typed.count(" ")))
    assert fusearch().out.split() == offered
