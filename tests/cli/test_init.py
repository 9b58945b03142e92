from collections.abc import Callable
from typing import Any

import pytest


def test_a_refusal_is_one_line_and_exit_code_2(fusearch: Callable[..., Any]) -> None:
    done = fusearch("show", "F1 = catt(a@0, b@0) ->", "--data", "wisconsin")
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("search", "wisconsin", "--out", "x", "--trials", "0"),
            ("--trials", "greater than or equal to 1", "found '0'", "fusearch search --help"),
        ),
        (("search", "wisconsin", "--out", "x", "--executor", "rey"), ("unknown executor 'rey'", "'ray'")),
        (("search", "wisconsin", "--out", "x", "--foldz", "3"), ("--foldz", "--folds")),
        (("export", "runs/first"), ("Missing option '--out'",)),
        (("list",), ("Missing argument", "operators, encoders")),
        (("serch",), ("'serch'", "'search'", "`fusearch --help`")),
    ],
)
def test_wrong_arguments_are_one_line_too(fusearch: Callable[..., Any], arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    done = fusearch(*arguments)
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err
    assert done.out == ""


def test_without_arguments_it_prints_the_help(fusearch: Callable[..., Any]) -> None:
    done = fusearch()
    assert done.code == 0
    assert "Commands:" in done.out


def test_debug_adds_the_traceback(fusearch: Callable[..., Any]) -> None:
    done = fusearch("status", "nowhere", "--debug")
    assert done.code == 2
    assert "Traceback" in done.err


def test_a_defect_says_so(fusearch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_source: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("fusearch.data.load_data", broken)
    done = fusearch("evaluate", "mean@L ->", "--data", "wisconsin")
    assert done.code == 1
    assert done.err.startswith("internal error: ZeroDivisionError: oops")


def test_ctrl_c(fusearch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_source: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fusearch.data.load_data", interrupted)
    assert fusearch("evaluate", "mean@L ->", "--data", "wisconsin").code == 130
