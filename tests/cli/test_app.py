from collections.abc import Callable
from typing import Any

import pytest

import fusearch as package

COMMANDS = ("check", "list", "show", "evaluate", "search", "status", "report", "export", "confirm", "explain", "cite", "watch", "serve")


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
