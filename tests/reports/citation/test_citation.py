"""What a run cites."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fusearch.errors import RunError
from fusearch.reports.citation.citation import cite_run
from fusearch.run import Run

RUN = Path(__file__).parent.parent.parent / "fixtures" / "run_0_1_0"


def test_every_key_of_the_paragraph_is_a_paper_and_every_paper_is_in_the_paragraph() -> None:
    cited = cite_run(Run(RUN))
    named = {key for keys in re.findall(r"\\cite{([^}]*)}", cited.methods) for key in keys.split(",")}
    assert named == {paper.key for paper in cited.papers}
    assert {"fusearch", "guarrasi2023", "guarrasi2025", "bergstra2011", "perez2018"} <= named
    assert "liaw2018" not in named, "the run was inline"
    assert cited.unnamed == ("mlp",)
    assert " and others" not in cited.bibtex
    assert cited.bibtex.count("@") == len(cited.papers)


def test_the_design_that_is_reported_is_the_one_that_is_picked() -> None:
    run = Run(RUN)
    joined = next(record for record in run.records() if "cat(" in record.formula)
    assert (
        f"The design that is reported ({joined.digest}) joins identity by cat \\cite{{ngiam2011}}" in cite_run(run, joined.digest).methods
    )
    with pytest.raises(RunError, match="zzz"):
        cite_run(run, "zzz")
