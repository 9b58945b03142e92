"""Bars and heat maps of feature attributions."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from fusearch.reports.page.attributed import attribution_cards


def told(kind: str, mean: np.ndarray, **more: Any) -> dict[str, Any]:
    facts = {"modality": "m<1>", "kind": kind, "method": "occlusion", "unit": "log odds", "names": []}
    return {**facts, "mean": mean.tolist(), "spread": (mean / 10).tolist(), **more}


def test_the_foremost_columns_have_bars_in_order() -> None:
    names = [f"gene{index}" for index in range(12)]
    html = attribution_cards([told("tabular", np.arange(12.0), names=names)])
    assert re.findall(r"gene\d+", html) == [f"gene{index}" for index in range(11, 1, -1)]
    assert re.findall(r"width:([\d.]+)%", html)[:2] == ["100.0", "90.9"]
    assert "The foremost 10 of 12 columns." in html
    assert "m&lt;1&gt;" in html
    assert "± 1.1" in html
    assert "log odds, in size" in html


@pytest.mark.parametrize(
    ("kind", "shape", "maps", "cells"),
    [
        ("image2d", (5, 7), 1, 35),
        ("volume3d", (3, 2, 2), 3, 12),
        ("timeseries", (100, 2), 1, 64),
        ("timeseries", (4, 40), 1, 64),
    ],
)
def test_maps_are_small(kind: str, shape: tuple[int, ...], maps: int, cells: int) -> None:
    html = attribution_cards([told(kind, np.random.default_rng(0).random(shape))])
    assert html.count("<svg") == maps
    assert html.count("<rect") == cells
    opacities = [float(each) for each in re.findall(r'fill-opacity="([\d.]+)"', html)]
    assert max(opacities) == 1.0
    assert min(opacities) >= 0.0


def test_of_many_channels_the_foremost_are_named() -> None:
    mean = np.ones((3, 20))
    mean[:, [4, 17]] = 5.0
    html = attribution_cards([told("timeseries", mean)])
    assert "channel 5<" in html
    assert "channel 18<" in html
    assert "the foremost 16 of 20 channels" in html


def test_nothing_moves_the_output() -> None:
    html = attribution_cards([told("tabular", np.zeros(3)), told("image2d", np.zeros((2, 2)))])
    assert 'width:0.0%"' in html
    assert "nan" not in html


def test_without_features_there_is_no_card() -> None:
    assert attribution_cards([]) == ""
