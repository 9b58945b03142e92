"""The catalogue page of the encoders is complete and not stale."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fusearch.search_space import ENCODERS
from fusearch.search_space.encoders.encoder_page import encoder_catalogue

PAGE = Path(__file__).parents[3] / "docs" / "encoders.md"


def test_the_page_is_what_the_module_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "fusearch.search_space.encoders.encoder_page"], capture_output=True, text=True, check=True
    )
    assert PAGE.read_text(encoding="utf-8") == done.stdout, "run `make reference`"


@pytest.mark.parametrize("name", [encoder.name for encoder in ENCODERS.values() if encoder.loadable_kinds])
def test_every_encoder_is_told_in_full(name: str) -> None:
    encoder = ENCODERS[name]
    section = encoder_catalogue().split(f"\n## {name}\n")[1].split("\n## ")[0]
    for words in (encoder.equation, encoder.stages, encoder.reference, encoder.differs, encoder.package):
        assert words in section
    assert all(f"`{parameter}=" in section for parameter in encoder.params)


def test_who_has_stages_has_an_equation() -> None:
    silent = {encoder.name for encoder in ENCODERS.values() if encoder.loadable_kinds and not encoder.equation}
    assert silent == {"identity", "flatten"}
