"""Papers as the registries name them, and as BibTeX."""

from __future__ import annotations

import re

import pytest

from fusearch.reports.citation.papers import EXECUTORS_BY, FIXED, LOSSES, SAMPLERS_FROM, STRATEGIES_FROM, Paper, join_papers, read_papers
from fusearch.search import EXECUTORS, SAMPLERS
from fusearch.search.strategies import STRATEGIES
from fusearch.search_space import ENCODERS, OPERATORS
from fusearch.tasks import TASKS


@pytest.mark.parametrize("entry", [*OPERATORS.values(), *ENCODERS.values()], ids=lambda entry: entry.name)
def test_the_reference_of_every_entry_is_read(entry) -> None:
    papers = read_papers(entry.reference)
    years = re.findall(r"(?<![\d.])(?:19|20)\d\d\b(?!\.\d)", entry.reference)
    assert len(papers) == len(years), entry.reference
    for paper in papers:
        assert re.fullmatch(r"[a-z-]+(19|20)\d\d", paper.key)


def test_one_paper_that_is_named_in_several_ways_is_one_and_the_others_are_told_apart() -> None:
    references = (
        "Ngiam et al., ICML 2011",
        "Ngiam et al., Multimodal deep learning, ICML 2011",
        "Kim et al., Bilinear attention networks (BAN), NeurIPS 2018; Kim et al., Bilinear attention networks, NeurIPS 2018",
        "Li et al., BIBM 2022",
        "Li et al., Bi-level representation learning, J. Biomed. Inform. 2022",
    )
    papers = join_papers(paper for reference in references for paper in read_papers(reference))
    assert [paper.key for paper in papers] == ["kim2018", "li2022a", "li2022b", "ngiam2011"]
    assert papers[-1].title == "Multimodal deep learning"


def test_bibtex_escapes_and_says_what_is_not_known() -> None:
    assert Paper("a1999", "A and others", "", "B & C", 1999).bibtex == (
        "@misc{a1999,\n  author = {A and others},\n  howpublished = {B \\& C},\n  year = {1999},\n  note = {title to be added},\n}"
    )


def test_the_table_names_samplers_strategies_tasks_and_executors_that_there_are() -> None:
    assert set(SAMPLERS_FROM) == set(SAMPLERS)
    assert set(STRATEGIES_FROM) <= set(STRATEGIES)
    assert set(LOSSES) <= set(TASKS)
    assert set(EXECUTORS_BY) == set(EXECUTORS)
    table = [paper for one in (SAMPLERS_FROM, STRATEGIES_FROM, LOSSES, EXECUTORS_BY) for each in one.values() for paper in each]
    keys = [paper.key for paper in (*FIXED, *table)]
    assert len(keys) == len(set(keys))
