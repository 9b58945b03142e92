import json
import os
import sys

import pytest

from fusearch.cli.output import document, figure, say, show_table


def test_the_document_stands_alone_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    with document(as_json=True) as write:
        sys.stdout.write("chatter of this process\n")
        sys.stdout.flush()
        os.write(1, b"chatter of a child\n")
        write({"a": 1})
    out, err = capfd.readouterr()
    assert json.loads(out) == {"a": 1}
    assert "chatter of this process" in err
    assert "chatter of a child" in err


def test_without_json_nothing_is_redirected(capfd: pytest.CaptureFixture[str]) -> None:
    with document(as_json=False) as write:
        say("hello")
        write({"a": 1})
    assert capfd.readouterr().out == "hello\n"


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"), document(as_json=True) as write:
        write({"a": float("nan")})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.97312, "0.9731"),
        (12544, "12,544"),
        (12544.0, "12,544"),
        (1.25e7 + 0.5, "1.25e+07"),
        (None, "-"),
        (True, "yes"),
        ({"a": 1, "b": 2}, "a 1, b 2"),
        ({"mean": 5.22143, "std": 12345.6}, "mean 5.221, std 12,346"),
        ([1, 8, 8], "1 x 8 x 8"),
        (["a", "b"], "a, b"),
        ("x", "x"),
        (0, "0"),
    ],
)
def test_figure(value: object, text: str) -> None:
    assert figure(value) == text


def test_table(capfd: pytest.CaptureFixture[str]) -> None:
    show_table([{"name": "[bold]", "n": 1}, {"name": "b", "n": None}], ("name", "n"), title="Things")
    lines = capfd.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [["Things"], ["name", "n"], ["[bold]", "1"], ["b", "-"]]
