from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusearch.reports.wording import (
    difference,
    duration,
    interval_text,
    metric_label,
    number,
    quantity,
    role_label,
    short_number,
    with_spread,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9034, "0.903"),
        (1.0, "1.000"),
        (0.0, "0"),
        (-0.25, "−0.250"),
        (412.0, "412"),
        (12.345, "12.3"),
        (1200.0, "1.20\u202fk"),
        (999_999.0, "1.00\u202fM"),
        (1.234e6, "1.23\u202fM"),
        (2.5e-5, "2.5\u00a0×\u00a010⁻⁵"),
        (-1e-12, "−1\u00a0×\u00a010⁻¹²"),
        (8e-5, "0.0001"),
        (-0.00032, "−0.0003"),
        (0.00094, "0.0009"),
        (0.00096, "0.001"),
        (math.inf, "∞"),
        (math.nan, "not a number"),
        (None, "–"),
    ],
)
def test_numbers_are_written_as_readers_write_them(value: float | None, text: str) -> None:
    assert number(value) == text


@given(st.floats(min_value=1e-3, max_value=1e12))
def test_a_written_number_is_close_to_the_number(value: float) -> None:
    text = number(value)
    scale = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(text[-1], 1.0)
    read = float(text.split("\u202f")[0]) * scale
    assert read == pytest.approx(value, rel=6e-3, abs=5.1e-4)


@pytest.mark.parametrize(
    ("ends", "signed", "text"),
    [
        ((0.871, 0.934), False, "0.871 to 0.934"),
        ((-8e-5, 0.012), True, "−0.0001 to +0.012"),
        ((-2e-6, 0.012), True, "0.000 to +0.012"),
        ((-0.03, 4e-5), True, "−0.030 to 0.000"),
        ((0.0, 0.0), True, "0 in every draw"),
        ((1.0, 1.0), False, "1.000 in every draw"),
        ((-2e-6, 5e-6), True, "−2\u00a0×\u00a010⁻⁶ to +5\u00a0×\u00a010⁻⁶"),
        ((-120.0, 34_000.0), True, "−120 to +34.0\u202fk"),
    ],
)
def test_an_end_of_an_interval_that_is_next_to_nothing_reads_as_nothing(ends: tuple[float, float], signed: bool, text: str) -> None:
    assert interval_text(ends, signed=signed) == text


@given(st.floats(min_value=-1e-3, max_value=1e-3))
def test_no_number_is_written_as_a_program_writes_it(value: float) -> None:
    assert "e" not in number(value)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (12.2, "12 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (3720, "1 h 02 min"), (None, "–")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_words() -> None:
    assert metric_label("auroc") == "AUROC"
    assert metric_label("my_score") == "my score"
    assert role_label("late") == "late fusion"
    assert role_label("my_role") == "my role"
    assert quantity("macs", 392_000) == "392\u202fk MACs"
    assert quantity("log_loss", 0.3012) == "log loss 0.301"
    assert quantity("ece", 0.0412) == "calibration error 0.041"
    assert with_spread(0.9, None) == "0.900"
    assert with_spread(0.9, 0.02) == "0.900\u00a0±\u00a00.020"
    assert with_spread(0.9, 0.0002) == "0.900\u00a0±\u00a0<0.001"
    assert with_spread(1200.0, 34.0) == "1.20\u202fk\u00a0±\u00a034"
    assert (difference(-0.02), difference(0.0002), difference(0.0)) == ("0.020", "less than 0.001", "0")
    assert (short_number(10_000), short_number(0.05), short_number(2e6)) == ("10\u202fk", "0.05", "2\u202fM")
