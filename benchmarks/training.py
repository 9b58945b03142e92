"""Compare the trainer with a plain torch loop for the same network, data, batches and number of epochs.

    python benchmarks/training.py [--epochs 40] [--repeats 7] [--json]

Both run in this process with one thread, in turns; each line is the median of the paired ratios (trainer / plain loop), so that a busy
machine spoils both alike. The plain loop is what one would write by hand: AdamW, shuffled index batches, validation once per epoch.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from fusearch.data import Dataset
from fusearch.evaluators import FusionNetwork
from fusearch.evaluators.training.members import FoldSamples, prepare_fold
from fusearch.evaluators.training.modes import train
from fusearch.evaluators.training.optimization import reproducible
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import Candidate, FusionGraph, Recipe

BATCH = 64


class HandWritten(nn.Module):
    """Three multilayer perceptrons, their embeddings side by side, a linear head."""

    def __init__(self, columns: list[int], width: int) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(nn.Sequential(*block(size, width), *block(width, width)) for size in columns)
        self.head = nn.Linear(width * len(columns), 2)

    def forward(self, tables: list[Tensor]) -> Tensor:
        result: Tensor = self.head(torch.cat([encoder(table) for encoder, table in zip(self.encoders, tables, strict=True)], dim=1))
        return result


class Linear(nn.Module):
    """Logistic regression on all columns."""

    def __init__(self, columns: list[int], _width: int) -> None:
        super().__init__()
        self.head = nn.Linear(sum(columns), 2)

    def forward(self, tables: list[Tensor]) -> Tensor:
        result: Tensor = self.head(torch.cat(tables, dim=1))
        return result


def block(source: int, target: int) -> list[nn.Module]:
    """Return one stage, as in the encoder `mlp`."""
    return [nn.Linear(source, target), nn.LayerNorm(target), nn.ReLU(), nn.Dropout(0.1)]


def plain_loop(network: nn.Module, rows: FoldSamples, epochs: int) -> None:
    """Train as one would write it by hand."""
    tables, held_out = list(rows.train.inputs.values()), list(rows.validation.inputs.values())
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-2, fused=True)
    for _ in range(epochs):
        network.train()
        for index in torch.randperm(len(rows.train)).split(BATCH):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network([table[index] for table in tables]), rows.train.targets[index])
            loss.backward()
            optimizer.step()
        network.eval()
        with torch.inference_mode():
            nn.functional.cross_entropy(network(held_out), rows.validation.targets).item()


def trainer(candidate: Candidate, rows: FoldSamples, epochs: int) -> None:
    """Train as the evaluator does."""
    with reproducible(0, threads=1) as generator:
        network = FusionNetwork(candidate.graph, 2, candidate.recipe)
        settings = TrainingSettings(epochs=epochs, patience=epochs, batch_size=BATCH)
        train(network, rows.train, rows.validation, recipe=candidate.recipe, task=rows.task, settings=settings, generator=generator)


def seconds(run: Callable[[], None]) -> float:
    """Return the processor time of a call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    tables = {name: rng.normal(size=(351, 200)).astype(np.float32) for name in ("mrna", "meth", "mirna")}
    data = Dataset.from_arrays("noise", modalities=tables, targets=rng.integers(0, 2, 351))
    rows = prepare_fold(data, data.folds(5)[0])
    embeddings, raw = "F1 = cat(mrna@L, meth@L, mirna@L) ->", "F1 = cat(mrna@0, meth@0, mirna@0) ->"
    cases: list[tuple[str, type[nn.Module], int]] = [(raw, Linear, 32), (embeddings, HandWritten, 32), (embeddings, HandWritten, 256)]
    found = []
    for text, plain, width in cases:
        candidate = Candidate(FusionGraph.parse(text, modalities=data.modalities), Recipe(width=width))
        times = []
        for _ in range(given.repeats + 1):
            by_hand = seconds(lambda plain=plain, width=width: plain_loop(plain([200] * 3, width), rows, given.epochs))
            times.append((seconds(lambda candidate=candidate: trainer(candidate, rows, given.epochs)), by_hand))
        ratios = [ours / by_hand for ours, by_hand in times[1:]]
        ours, by_hand = (statistics.median(column) for column in zip(*times[1:], strict=True))
        found.append({"design": text, "width": width, "trainer": ours, "by_hand": by_hand, "ratio": statistics.median(ratios)})
    if given.json:
        print(json.dumps(found))
        return
    for each in found:
        seen = f"trainer {each['trainer']:.3f} s, by hand {each['by_hand']:.3f} s, ratio {each['ratio']:.2f}"
        print(f"{each['design']:38s} width {each['width']:3d}: {seen}")


if __name__ == "__main__":
    main()
