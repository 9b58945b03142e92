"""The 54 published networks of the review, printed and as built, with what is known of each study."""

from __future__ import annotations

from fusearch.search_space.published.catalogue import PUBLISHED, PublishedStudy, fitting_designs, printed_pattern, published_design
from fusearch.search_space.published.differences import AGREEMENTS
from fusearch.search_space.published.neighbours import FEATURES, design_distance, nearest_study
from fusearch.search_space.published.review_statistics import Count, other_sheets, review_statistics
from fusearch.search_space.published.study_facts import TASK_KINDS, Headline, StudyFacts

__all__ = [
    "AGREEMENTS",
    "FEATURES",
    "PUBLISHED",
    "TASK_KINDS",
    "Count",
    "Headline",
    "PublishedStudy",
    "StudyFacts",
    "design_distance",
    "fitting_designs",
    "nearest_study",
    "other_sheets",
    "printed_pattern",
    "published_design",
    "review_statistics",
]
