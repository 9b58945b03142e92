"""Reads a formula of either sort: a design, or a pattern that leaves something unknown."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from fusearch.data.modality import Modality
from fusearch.errors import FormulaError, FusearchError
from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.pattern import FusionPattern
from fusearch.search_space.notation.draft import PatternFoundError

__all__ = ["parse"]


def parse(text: str, modalities: Sequence[Modality] = ()) -> FusionGraph | FusionPattern:
    """Read a design, or a pattern where the formula leaves an operator, a depth or an encoder unknown.

    Args:
        text: A formula in text form or in the review's typography.
        modalities: The modalities of the data; without them a formula whose streams name no encoders is a pattern.

    Raises:
        FormulaError: The text is neither; a caret shows the place.

    Example:
        >>> type(parse("F1 = ⊕(x1^x, x2^y) →")).__name__
        'FusionPattern'
        >>> type(parse("a = table:mlp | b = table:mlp; F1 = cat(a@L, b@L) ->")).__name__
        'FusionGraph'
    """
    try:
        return FusionGraph.parse(text, modalities)
    except PatternFoundError:
        return FusionPattern.parse(text)
    except FormulaError:
        if modalities:
            raise
        with contextlib.suppress(FusearchError):  # it is neither, and the first message says more
            return FusionPattern.parse(text)
        raise
