"""Papers as the registries name them, and as BibTeX."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from fusearch.reports.citation.papers import (
    _BIBLIOGRAPHY,
    EXECUTORS_BY,
    FIXED,
    LOSSES,
    SAMPLERS_FROM,
    STRATEGIES_FROM,
    Paper,
    join_papers,
    read_papers,
)
from fusearch.search import EXECUTORS, SAMPLERS
from fusearch.search.strategies import STRATEGIES
from fusearch.search_space import ENCODERS, OPERATORS
from fusearch.tasks import TASKS

ENTRIES = [*OPERATORS.values(), *ENCODERS.values()]
#: Papers of which more than the first author is not known for certain.
UNCERTAIN = {"he2021", "hou2023", "li2022", "pan2021", "rahaman2022", "wang2021"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_reference_of_every_entry_is_read(entry) -> None:
    papers = read_papers(entry.reference)
    years = re.findall(r"(?<![\d.])(?:19|20)\d\d\b(?!\.\d)", entry.reference)
    assert len(papers) == len(years), entry.reference
    for paper in papers:
        assert re.fullmatch(r"[a-z-]+(19|20)\d\d", paper.key)


def test_the_bibliography_has_what_entries_and_tables_name_once_and_nothing_else() -> None:
    of_entries = [paper for entry in ENTRIES for paper in read_papers(entry.reference)]
    assert {paper.key for paper in of_entries if not paper.is_complete} == UNCERTAIN
    assert {paper.key for paper in of_entries if paper.kind == "misc"} == {"bai2018", "li2019"}, "these stand on arXiv alone"
    tables = [paper for one in (SAMPLERS_FROM, STRATEGIES_FROM, LOSSES, EXECUTORS_BY) for each in one.values() for paper in each]
    held = [paper for paper, _ in _BIBLIOGRAPHY]
    assert set(held) <= {*of_entries, *FIXED, *tables}
    assert len({(paper.key, paper.title) for paper in held}) == len(held)
    for paper in held:
        assert paper.is_complete
        assert all(", " in author for author in paper.authors.split(" and ")), paper
        assert paper.bibtex.count("{") == paper.bibtex.count("}")


def test_the_page_says_how_many_entries_were_compared_with_a_source() -> None:
    papers = json.loads(files("fusearch.reports.citation").joinpath("bibliography.json").read_text(encoding="utf-8"))["papers"]
    compared = sum(each.get("compared", False) for each in papers)
    page = (Path(__file__).parents[3] / "docs" / "shell.md").read_text(encoding="utf-8")
    assert f"{compared} of its {len(papers)} entries" in page


def test_a_paper_that_the_bibliography_does_not_have_is_as_the_words_tell_it() -> None:
    [other] = read_papers("Kim et al., Another network, NeurIPS 2018")
    assert (other.authors, other.title, other.kind) == ("Kim and others", "Another network", "inproceedings")
    [elsewhere] = read_papers("Kim et al., Bilinear attention networks, CVPR 2018")
    [nothing] = read_papers("Kim et al., 2018")
    assert (elsewhere.is_complete, nothing.is_complete) == (False, False)


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
