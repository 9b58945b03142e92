from __future__ import annotations

import pytest

from fusearch.search_space import PUBLISHED
from fusearch.search_space.published import TASK_KINDS


@pytest.mark.parametrize("study", PUBLISHED.values(), ids=lambda study: study.key)
def test_every_study_is_described(study) -> None:
    facts = study.facts
    assert facts.task_kind in TASK_KINDS
    assert all((facts.venue, facts.area, facts.purpose, facts.task, facts.losses))
    assert facts.source in ("code", "figure", "abstract")
    assert 1 <= facts.confidence <= 5
    assert all(part in study.citation for part in (study.title, facts.venue, study.doi or "", str(study.year)))


def test_what_the_atlas_does_not_have_is_said_to_be_missing() -> None:
    assert PUBLISHED["ovarian-dnonl"].facts.result is None
    assert PUBLISHED["miftp"].citation.startswith("Authors not recorded, ")
    assert "protocol: not recorded" in str(PUBLISHED["mmdynamics"].facts.result)


def test_a_headline_result_has_its_protocol_and_its_source() -> None:
    result = PUBLISHED["opcnn"].facts.result
    assert result is not None
    assert (result.metric, result.value) == ("AUROC", 0.9824)
    assert "not reset between the folds" in result.protocol
    assert result.source == "abstract"


def test_half_of_the_studies_have_a_result_and_most_a_difference() -> None:
    assert sum(study.facts.result is not None for study in PUBLISHED.values()) == 28
    assert sum(bool(study.facts.differs) for study in PUBLISHED.values()) == 38
