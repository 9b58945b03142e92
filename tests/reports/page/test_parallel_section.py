from __future__ import annotations

from collections.abc import Callable

from fusearch.reports.findings.findings import read_findings
from fusearch.reports.page.parallel_section import parallel_section
from fusearch.run import Run


def test_it_says_how_many_trials_are_drawn(make_run: Callable[..., Run]) -> None:
    few = parallel_section(read_findings(make_run(12, failures=2)))
    assert few.count("data-trial=") == 12
    assert "(12 trials)" in few
    assert "AUROC" in few
    many = parallel_section(read_findings(make_run(320)))
    assert "of 320, spread evenly over the ranks)" in many
    assert parallel_section(read_findings(make_run(1))) == ""
