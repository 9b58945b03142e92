"""What a run cites."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fusearch import SearchSpace, TrainingEvaluator, load_data, run_search
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


def test_the_paragraph_says_how_many_designs_were_references_and_blames_no_sampler_for_them(tmp_path: Path) -> None:
    told = cite_run(Run(RUN)).methods
    assert (
        "14 designs were evaluated for AUROC and MACs by 2 folds and 1 seed inside the training and validation rows, 8 of them as" in told
    )
    assert "The sampler 'tpe' \\cite{bergstra2011} proposed the others, on Optuna" in told
    data = load_data("wisconsin")
    evaluator = TrainingEvaluator(data, folds=2, epochs=2)
    run = run_search(SearchSpace(data.modalities), evaluator, ["auroc", "macs"], out=tmp_path / "run", trials=2, executor="inline")
    only = cite_run(run)
    assert (
        "2 designs were evaluated for AUROC and MACs by 2 folds and 1 seed inside the training and validation rows, 2 of them"
        in only.methods
    )
    assert "The search ran on Optuna" in only.methods
    assert "sampler" not in only.methods
    assert "bergstra2011" not in {paper.key for paper in only.papers}


def test_the_design_that_is_reported_is_the_one_that_is_picked() -> None:
    run = Run(RUN)
    joined = next(record for record in run.records() if "cat(" in record.formula)
    assert (
        f"The design that is reported ({joined.digest}) joins identity by cat \\cite{{ngiam2011}}" in cite_run(run, joined.digest).methods
    )
    with pytest.raises(RunError, match="zzz"):
        cite_run(run, "zzz")
