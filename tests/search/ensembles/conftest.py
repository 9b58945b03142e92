"""Predictions to score."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from fusearch.search.ensembles import Predictions


@pytest.fixture
def make_predictions() -> Callable[..., Predictions]:
    def make(
        modalities: Sequence[str], *, rows: int = 30, classes: int = 2, members: int = 1, skill: float = 0.5, seed: int = 0
    ) -> Predictions:
        """Draw probabilities that lean to the right class by `skill`; probabilities are multiples of 1/64, so ties happen."""
        rng = np.random.default_rng(seed)
        targets = rng.integers(0, classes, rows)
        raw = rng.dirichlet(np.ones(classes), size=(len(modalities), rows)) + skill * np.eye(classes)[targets] * rng.random(
            (len(modalities), rows, 1)
        )
        steps = np.floor(raw / raw.sum(axis=2, keepdims=True) * 64)
        steps[:, :, 0] += 64 - steps.sum(axis=2)
        names = tuple(f"{modality}{index}" for index, modality in enumerate(modalities))
        return Predictions(names, tuple(modalities), steps / 64, targets, np.sort(rng.integers(0, members, rows)))

    return make
