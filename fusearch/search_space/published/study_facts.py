"""What is known of a published study beside its network: paper, task, losses, headline result, and how it differs in print."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["TASK_KINDS", "Headline", "StudyFacts", "study_facts"]

#: What the studies predict.
TASK_KINDS = ("classification", "regression", "survival", "segmentation", "detection")

#: What stands where the atlas has nothing.
NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Headline:
    """The result that a paper leads with. It is the paper's claim, and was not measured here.

    Attributes:
        metric: The figure of merit.
        value: Its value; words where the paper gives a gain.
        data: The data set, and further figures.
        protocol: How it was got; empty where that is not recorded.
        source: Where the value is known from: the abstract, code, or memory.
    """

    metric: str
    value: float | str
    data: str
    protocol: str
    source: str

    def __str__(self) -> str:
        return f"{self.metric} {self.value}; {self.data}; protocol: {self.protocol or NOT_RECORDED}; source: {self.source}"


@dataclass(frozen=True)
class StudyFacts:
    """What the atlas says about one study.

    Attributes:
        authors: First author; empty where it is not recorded.
        venue: Journal or conference.
        area: Disease area.
        purpose: Diagnosis, prognosis, detection, ...
        task_kind: One of `TASK_KINDS`.
        task: What is predicted.
        losses: What is minimized.
        missing: What happens to a missing modality; empty where nothing is said.
        result: The headline result, None where it is not recorded.
        differs: How the network as built differs from the printed formula; empty where only names and counts of layers do.
        source: What the network was read from: `code`, a `figure`, the `abstract`.
        confidence: How sure the reading is, from 1 to 5.
        notes: What else a reader should know.
    """

    authors: str
    venue: str
    area: str
    purpose: str
    task_kind: str
    task: str
    losses: str
    missing: str
    result: Headline | None
    differs: str
    source: str
    confidence: int
    notes: str

    def citation(self, title: str, year: int, doi: str | None) -> str:
        """Return the paper as a reference."""
        return f"{self.authors or 'Authors ' + NOT_RECORDED}, {title}, {self.venue}, {year}" + (f", doi {doi}" if doi else "")


def study_facts(number: int) -> StudyFacts:
    """Return what is known of a study.

    Args:
        number: Its number in the review.

    Example:
        >>> study_facts(36).result.value
        0.842
    """
    return _read_facts()[number]


@cache
def _read_facts() -> dict[int, StudyFacts]:
    records = json.loads(files(__package__).joinpath("atlas.json").read_text(encoding="utf-8"))
    return {record["number"]: _facts(record) for record in records}


def _facts(record: Mapping[str, Any]) -> StudyFacts:
    given = {name: value for name, value in record.items() if name != "number"}
    return StudyFacts(**{**given, "result": None if given["result"] is None else Headline(**given["result"])})
