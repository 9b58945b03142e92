"""`check`: what a data set holds and what is wrong with it, given weights and all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fusearch.data import Dataset, check_data
from fusearch.data.check.check import CheckResult
from fusearch.data.given_weights import GivenWeights
from fusearch.data.modality import Modality

__all__ = ["check"]


def check(data: Dataset | str | Path) -> CheckResult:
    """Look at a data set before searching on it: counts, shapes, missing values, balance of classes, leaks. The command `fusearch check`.

    Args:
        data: A data set, a manifest, or the name of an embedded one. Files that cannot be loaded are no error here, but a problem.

    Raises:
        UnknownNameError: There is no manifest, and no data set of that name.

    Example:
        >>> found = check("wisconsin")
        >>> found.ok, found.samples, sorted(found.modalities)
        (True, 569, ['error', 'mean', 'worst'])
    """
    return check_data(data, compare=_compare)


def _compare(given: Sequence[GivenWeights], modalities: Sequence[Modality]) -> None:
    from fusearch.evaluators.network.start import check_given  # it needs torch, which data without weights do not

    check_given(given, modalities)
