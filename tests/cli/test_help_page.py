from pathlib import Path

import pytest

from fusearch.cli.app import app
from fusearch.cli.help_page import reference_page

PAGE = Path(__file__).parent.parent.parent / "docs" / "cli.md"


def test_the_page_is_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_page(), "docs/cli.md is stale: run `make reference`"


def test_every_command_has_its_section() -> None:
    page = reference_page()
    named = [command.name or "" for command in app.registered_commands]
    assert len(named) > 5
    for name in named:
        assert f"\n## fusearch {name}\n" in page


def test_the_width_of_the_terminal_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert PAGE.read_text(encoding="utf-8") == reference_page()
