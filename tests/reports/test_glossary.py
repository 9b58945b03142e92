from __future__ import annotations

import pytest

from fusearch.metrics import metrics_of
from fusearch.reports.glossary import GLOSSARY, terms_in, with_meanings
from fusearch.reports.wording import metric_label
from fusearch.tasks import TASKS


@pytest.mark.parametrize("word", ["MACs", "hypervolume", "penultimate concatenation", "member", "sudden", "±"])
def test_the_words_of_the_report_are_explained(word: str) -> None:
    assert GLOSSARY[word].endswith(".")


def test_every_metric_of_a_task_that_goes_by_an_abbreviation_is_explained() -> None:
    labels = {metric_label(metric.name) for kind in TASKS for metric in metrics_of(kind)}
    short = {label for label in labels if label != label.lower()}
    assert len(short) > 5
    assert {label for label in short if not terms_in([label])} == set()


def test_a_word_carries_its_meaning_once_whatever_its_case_and_number() -> None:
    html = with_meanings("Members < 5: a member is one training")
    assert html.startswith('<abbr title="One training of a design: one fold and one seed.">Members</abbr> &lt; 5: a member')
    assert html.count("<abbr") == 1


def test_the_longer_word_wins_and_parts_of_words_are_left() -> None:
    assert "Each modality has its own" in with_meanings("penultimate concatenation")
    assert with_meanings("remembered suddenly") == "remembered suddenly"


def test_only_what_occurs_is_listed_in_the_order_of_the_glossary() -> None:
    assert terms_in(["no MACs at all", "a design of two modalities"]) == ["modality", "design", "MACs"]
