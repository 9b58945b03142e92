from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusearch.contracts import Objective
from fusearch.reports.findings.axes import Axis, axis_of, linear_ticks, log_ticks


def test_the_scale_of_an_axis_is_that_of_its_hypervolume() -> None:
    macs = Objective.parse("macs")
    assert [axis_of(macs, values).log for values in ([1e3, 1e5], [1e3, 2e4])] == [True, False]


@given(low=st.floats(-1e6, 1e6), width=st.floats(1e-4, 1e6))
def test_linear_ticks_are_inside_even_and_few(low: float, width: float) -> None:
    high = low + width
    ticks = linear_ticks(low, high)
    slack = 1e-6 * (abs(low) + abs(high) + 1)
    assert 1 <= len(ticks) <= 7
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    steps = [b - a for a, b in itertools.pairwise(ticks)]
    assert all(step == pytest.approx(steps[0], rel=1e-6, abs=1e-9) for step in steps)


def test_log_ticks() -> None:
    assert log_ticks(900, 2e6) == [1e3, 1e4, 1e5, 1e6]
    assert log_ticks(1e3, 1e4) == [1e3, 2e3, 5e3, 1e4]


def test_labels_have_as_many_decimals_as_the_step() -> None:
    axis = Axis("auroc", "more", log=False)
    assert [label for _, label in axis.ticks(0.8, 0.9)] == ["0.80", "0.82", "0.84", "0.86", "0.88", "0.90"]
    assert [label for _, label in Axis("macs", "less", log=True).ticks(1e3, 1e6)] == ["1\u202fk", "10\u202fk", "100\u202fk", "1\u202fM"]
    assert axis.title == "AUROC  (more is better)"
    assert axis_of(Objective.parse("macs"), [1.0]).title.endswith("  (less is better)")
    assert Axis("trial", None, log=False).title == "Trial"
