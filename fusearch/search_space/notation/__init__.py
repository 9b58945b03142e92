"""The two written forms of designs: the text form and the review's typography."""

from __future__ import annotations

from fusearch.search_space.notation.draft import Draft, is_unknown_depth, read_design
from fusearch.search_space.notation.parser import parse_document
from fusearch.search_space.notation.printer import print_design, print_entry, print_pattern

__all__ = ["Draft", "is_unknown_depth", "parse_document", "print_design", "print_entry", "print_pattern", "read_design"]
