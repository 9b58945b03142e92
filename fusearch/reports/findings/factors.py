"""What the designs that did well have in common: the main objective by operator, level, modality. Descriptive, not causal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from fusearch.reports.findings.findings import Findings
from fusearch.search_space.design.features import FACTORS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Group", "factor_frame", "factor_groups"]


@dataclass(frozen=True)
class Group:
    """The designs that share one choice, and the main objective over them; `sd` is None for a single design."""

    group: str
    designs: int
    mean: float
    sd: float | None
    best: float


def factor_groups(found: Findings, factor: str) -> list[Group]:
    """Return the main objective by one factor, best mean first.

    Each graph counts once, with its best recipe. Designs that a search proposes late are proposed because they do well, so the
    groups are not random samples.
    """
    describe = FACTORS[factor]
    values: dict[str, list[float]] = {}
    for record in found.designs:
        if record.digest in found.graphs:
            for group in describe(found.graphs[record.digest]):
                values.setdefault(group, []).append(found.value(record))
    groups = [
        Group(name, len(each), fmean(each), stdev(each) if len(each) > 1 else None, found.main.best(each)) for name, each in values.items()
    ]
    return sorted(groups, key=lambda group: (found.main.loss(group.mean), group.group))


def factor_frame(found: Findings, factor: str) -> pd.DataFrame:
    """Return the groups of one factor as a data frame: `group`, `designs`, `mean`, `sd`, `best`."""
    import pandas as pd

    return pd.DataFrame([asdict(group) for group in factor_groups(found, factor)], columns=["group", "designs", "mean", "sd", "best"])
