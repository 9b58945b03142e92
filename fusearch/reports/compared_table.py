"""`compare`: several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fusearch.reports.findings.compared import read_compared
from fusearch.reports.page.comparison import compare_runs, comparison_rows, comparison_sentences
from fusearch.run import Run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare"]


def compare(runs: Sequence[Run | Path | str], out: Path | str | None = None) -> pd.DataFrame:
    """Set several runs side by side, such as one search with several seeds. The command `fusearch compare`.

    Args:
        runs: Runs or their folders, two or more, with the same objectives.
        out: HTML page to write too: fronts, attainment, hypervolumes, answers.

    Returns:
        A row for each run: state, trials, best value, the pick after selection, hypervolume, and what may be said of fusion and of the
        search. `attrs["sentences"]` says what they have in common, `attrs["warnings"]` what is not comparable.

    Raises:
        RunError: The runs cannot be compared, or the page cannot be written.

    Example:
        >>> compare(["runs/demo"])
        Traceback (most recent call last):
            ...
        fusearch.errors.RunError: 1 run to compare, expected two or more
    """
    import pandas as pd

    found = read_compared([run.path if isinstance(run, Run) else run for run in runs])
    if out is not None:
        compare_runs(found, out)
    table = pd.DataFrame(comparison_rows(found))
    table.attrs = {"sentences": comparison_sentences(found), "warnings": list(found.warnings)}
    return table
