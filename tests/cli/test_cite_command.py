"""`fusearch cite`, and the file that cites fusearch itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fusearch.yaml_file import read_yaml

ROOT = Path(__file__).parent.parent.parent
RUN = ROOT / "tests" / "fixtures" / "run_0_1_0"


def test_bibtex_is_printed_or_written(tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    shown = fusearch("cite", RUN)
    assert shown.code == 0, shown.err
    assert "@article{guarrasi2023," in shown.out
    assert "no paper is named for: mlp" in shown.err
    done = fusearch("cite", RUN, "--out", tmp_path / "refs.bib", "--json")
    assert (tmp_path / "refs.bib").read_text(encoding="utf-8") == done.document["bibtex"] + "\n"
    assert done.document["methods"] in shown.out
    refused = fusearch("cite", RUN, "--out", tmp_path / "absent" / "refs.bib")
    assert (refused.code, "cannot be written" in refused.err) == (2, True)


def test_the_citation_file_is_cff() -> None:
    cff = read_yaml(ROOT / "CITATION.cff", expected="a citation")
    assert {"cff-version", "message", "title", "authors"} <= cff.keys()
    assert cff["cff-version"] == "1.2.0"
    for work in (cff, *cff["references"]):
        assert work["title"]
        assert all(author.keys() & {"name", "family-names"} for author in work["authors"])
