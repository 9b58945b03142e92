"""The 54 published networks of the review, printed and as built."""

from __future__ import annotations

from fusearch.search_space.published.catalogue import PUBLISHED, PublishedStudy, printed_pattern, published_design

__all__ = ["PUBLISHED", "PublishedStudy", "printed_pattern", "published_design"]
