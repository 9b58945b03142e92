"""The documentation holds: examples of public names run, README's code is the tested example, options and links exist."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import fusearch
from fusearch.cli.app import app

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])


#: Modules whose examples train for ten seconds.
LONG = ("fusearch.evaluators.export.bundle", "fusearch.reports.report")


def modules() -> Iterator[str]:
    for module in pkgutil.walk_packages(fusearch.__path__, "fusearch."):
        if not module.name.endswith("export.predict"):  # a script of the bundle
            yield module.name


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `runs/demo`, a small real search: what the examples open."""
    folder = tmp_path_factory.mktemp("documentation")
    data = fusearch.load_data("wisconsin")
    evaluator = fusearch.TrainingEvaluator(data, folds=2, epochs=2)
    space = fusearch.SearchSpace(data.modalities)
    fusearch.run_search(space, evaluator, objectives=["auroc", "macs"], out=folder / "runs" / "demo", trials=12, executor="inline")
    return folder


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in sorted(modules())])
def test_examples_in_docstrings_run(name: str, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo)
    assert doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).failed == 0


@pytest.mark.parametrize("name", [name for name in fusearch.__all__ if name not in ("__version__", "FusearchError")])
def test_every_public_name_has_an_example(name: str) -> None:
    thing: Any = getattr(fusearch, name)
    members: list[Callable[..., Any]] = [member for member in vars(thing).values() if callable(member)] if isinstance(thing, type) else []
    assert any(">>>" in (part.__doc__ or "") for part in [thing, *members]), f"fusearch.{name} shows no example"


def test_the_code_of_the_readme_is_the_first_example() -> None:
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    example = (ROOT / "examples" / "01_first_front.py").read_text(encoding="utf-8")
    words = set(re.findall(r"[\w.]+\(", example))
    assert set(re.findall(r"[\w.]+\(", block[1])) <= words


def commands() -> list[str]:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    found = re.findall(r"^(?:    |\$ |)(fusearch (?:--plugin \S+ )?[a-z]+ [^\n#`]*)", text, re.MULTILINE)
    return sorted({command.strip() for command in found})


@pytest.mark.parametrize("command", commands())
def test_commands_in_the_documentation_exist(command: str) -> None:
    words = shlex.split(re.sub(r"[\[\]]", "", command.partition(' "${')[0]))  # what a script adds itself is left out
    name = next(word for word in words[1:] if word in get_command(app).commands)
    parsed: Any = get_command(app).commands[name]
    context = parsed.make_context(name, [], resilient_parsing=True)
    _, left, _ = parsed.make_parser(context).parse_args(words[words.index(name) + 1 :])  # an option that is not there raises
    assert left == [], f"{command}: {name} does not take {left}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)  # `TASKS["kind"]("name")` is no link
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"
