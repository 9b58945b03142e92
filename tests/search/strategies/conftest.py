"""Real data small enough to search in seconds, and an evaluator that takes no time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from fusearch.contracts import Budget, Evaluation
from fusearch.data.modality import Modality
from fusearch.search_space import Candidate, SearchSpace

TABLES = (Modality("rna", "tabular", (8,)), Modality("meth", "tabular", (6,)))


class DrawnEvaluator:
    """Predictions drawn from the digest of the graph; a joined design is as good as its number of streams."""

    def __init__(self, *, rows: int = 40, fails: Mapping[str, str] | None = None) -> None:
        self.rows, self.fails = rows, dict(fails or {})
        self.kept_in: Path | None = None
        self.calls: list[Candidate] = []

    def keeping(self, folder: str | Path) -> DrawnEvaluator:
        self.kept_in = Path(folder)
        return self

    def cheap(self, candidate: Candidate) -> dict[str, float]:
        return {"parameters": float(len(candidate.graph.streams))}

    def objectives(self) -> frozenset[str]:
        return frozenset({"accuracy", "log_loss", "parameters"})

    def describe(self) -> dict[str, object]:
        return {"kind": "drawn"}

    def __call__(self, candidate: Candidate, budget: Budget, report: object) -> Evaluation:
        self.calls.append(candidate)
        encoders = {stream.encoder for stream in candidate.graph.streams}
        for encoder, reason in self.fails.items():
            if encoder in encoders:
                raise RuntimeError(reason)
        rng = np.random.default_rng(int(candidate.graph.digest, 16))
        targets = np.arange(self.rows) % 2
        right = rng.random(self.rows) < 0.75
        probability = np.where(right, rng.uniform(0.5, 1.0, self.rows), rng.uniform(0.0, 0.5, self.rows))
        probabilities = np.where(np.eye(2)[targets] > 0, probability[:, None], 1 - probability[:, None])
        arrays = {
            "rows": np.arange(self.rows),
            "fold": np.arange(self.rows) % 4,
            "seed": np.zeros(self.rows, dtype=int),
            "targets": targets,
            "probabilities": probabilities.astype(np.float32),
        }
        values = {"accuracy": float(right.mean()), "log_loss": self.loss(candidate), **self.cheap(candidate)}
        return Evaluation(values, arrays=arrays)

    def loss(self, candidate: Candidate) -> float:
        return float(1 / len(candidate.graph.streams))


@pytest.fixture
def space() -> SearchSpace:
    return SearchSpace(TABLES)


@pytest.fixture
def drawn() -> type[DrawnEvaluator]:
    return DrawnEvaluator
