from __future__ import annotations

from fusearch.contracts import Objective
from fusearch.reports.findings.failures import FailureGroup, failed_records, failure_groups
from fusearch.reports.findings.findings import Findings
from fusearch.study import STOPPED, TrialRecord
from fusearch.trials import Trials


def test_reasons_that_differ_in_numbers_alone_are_one_cause() -> None:
    reasons = ["ValueError: 3 rows\n  at x", "boom", "ValueError: 12 rows", None, STOPPED, "boom"]
    records = [TrialRecord(number=number, state="failed", reason=reason) for number, reason in enumerate(reasons)]
    records += [TrialRecord(number=9, state="pruned", reason="boom"), TrialRecord(number=10, state="complete")]
    found = Findings(Trials(records, (Objective.parse("auroc"),)))
    assert [record.number for record in failed_records(found)] == [0, 1, 2, 3, 5, 9]
    assert failure_groups(found) == [
        FailureGroup("failed", "ValueError: 3 rows", 2, True),
        FailureGroup("failed", "boom", 2, False),
        FailureGroup("failed", "no reason was recorded", 1, False),
        FailureGroup("pruned", "boom", 1, False),
    ]
    assert failure_groups(found)[0].told == "ValueError: 3 rows (others with other numbers)"
