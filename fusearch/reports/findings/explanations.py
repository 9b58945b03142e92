"""What `fusearch explain` found of designs of a run, and how it is said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fusearch.errors import RunError
from fusearch.layout import explanation_files
from fusearch.reports.wording import number

__all__ = ["foremost_features", "how_label", "interval", "read_explanations", "signed"]

_HOW = {"ablation": "taken away", "permutation": "shuffled"}


def read_explanations(folder: Path) -> list[dict[str, Any]]:
    """Read what `fusearch explain` found, in the order of the candidates' digests.

    Raises:
        RunError: A file is not what `explain` writes.
    """
    found = []
    for path in explanation_files(folder):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            _ = told["digest"], told["metric"], told["members"], told["effects"], told["shares"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{str(path)!r} is not an explanation of a design: {error}") from None
        found.append(told)
    return found


def foremost_features(told: Mapping[str, Any], most: int = 10) -> list[tuple[str, float, float]]:
    """Return (name, mean, spread) of the features with the largest attributions; of a grid, named by their positions from 1."""
    mean, spread = np.array(told["mean"], float), np.array(told["spread"], float)
    order = np.argsort(-mean, axis=None, kind="stable")[:most]
    places = [np.unravel_index(index, mean.shape) for index in order]
    names = [told["names"][place[0]] if told["names"] else "(" + ", ".join(str(axis + 1) for axis in place) + ")" for place in places]
    return [(name, float(mean[place]), float(spread[place])) for name, place in zip(names, places, strict=True)]


def how_label(how: str) -> str:
    """Return what was done to the information of a modality, in words."""
    return _HOW.get(how, how)


def interval(effect: Mapping[str, Any]) -> str:
    """Write the interval of an effect; empty where it has none."""
    return "" if effect["low"] is None else f"{signed(effect['low'])} to {signed(effect['high'])}"


def signed(value: float | None) -> str:
    """Write an effect with its sign; a dash where it is not known."""
    if value is None:
        return "–"
    if 0 < abs(value) < 5e-4:
        return "≈ 0"
    return ("−" if value < 0 else "") + (f"{abs(value):.3f}" if abs(value) < 1 else number(abs(value)))
