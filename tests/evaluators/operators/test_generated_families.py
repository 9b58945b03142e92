"""Families of data for which the right way to fuse is known: there the operator beats `cat`, in at least four of five seeds.

`cat` always gets a hidden layer behind it, so it can express every family; the question is what is learned from few rows.
Both are trained alike.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from toy_tasks import class_task

from fusearch.data.modality import Modality
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.operator_layer import Losses
from fusearch.search_space import FusionGraph, Recipe

Family = Callable[[int, torch.Generator], tuple[dict[str, Tensor], Tensor]]


def interaction(count: int, generator: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
    """The class is the sign of the inner product of two tables."""
    a, b = torch.randn(2, count, 8, generator=generator)
    return {"a": a, "b": b}, ((a * b).sum(dim=1) > 0).long()


def exclusive_or(count: int, generator: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
    """The class is whether two signs, one a table among seven numbers of noise, differ."""
    a, b = torch.randn(2, count, 8, generator=generator)
    return {"a": a, "b": b}, (a[:, 0] * b[:, 0] < 0).long()


def retrieval(count: int, generator: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
    """A table holds a key; the class stands beside that key somewhere in a series."""
    keys = torch.eye(8)[torch.stack([torch.randperm(8, generator=generator) for _ in range(count)])]
    values = torch.randint(2, (count, 8), generator=generator)
    asked = torch.randint(8, (count,), generator=generator)
    series = torch.cat([keys, (2.0 * values - 1)[:, :, None]], dim=2)
    return {"a": keys[torch.arange(count), asked], "b": series}, values[torch.arange(count), asked]


def gating(count: int, generator: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
    """One table says which numbers of the other one count."""
    gates, x = torch.randint(2, (count, 8), generator=generator).float(), torch.randn(count, 8, generator=generator)
    return {"a": x, "b": gates}, ((x * gates).sum(dim=1) > 0).long()


def unreliable(count: int, generator: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
    """Both tables tell the class, but in each sample one of them is noise; the first number of a table is its quality."""
    labels, bad = torch.randint(2, (count,), generator=generator), torch.randint(2, (count, 1), generator=generator)
    tables = {}
    for name, quality in (("a", 1 - bad), ("b", bad)):
        told = quality * 0.6 * (2.0 * labels[:, None] - 1) + (3 - 2 * quality) * torch.randn(count, 6, generator=generator)
        tables[name] = torch.cat([2.0 * quality - 1, told], dim=1)
    return tables, labels


def weak(count: int, generator: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
    """Two wide tables tell the class, weakly and independently of each other."""
    labels = torch.randint(2, (count,), generator=generator)
    a, b = 0.25 * (2.0 * labels[:, None] - 1) + torch.randn(2, count, 30, generator=generator)
    return {"a": a, "b": b}, labels


def views(count: int, generator: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
    """Two wide tables are views of one hidden vector, each with structured noise of its own."""
    labels = torch.randint(2, (count,), generator=generator)
    hidden = torch.randn(count, 4, generator=generator) + (2.0 * labels[:, None] - 1)
    maps = torch.randn(4, 4, 40, generator=torch.Generator().manual_seed(9))
    private = 2 * torch.randn(2, count, 4, generator=generator)
    return {"a": hidden @ maps[0] + private[0] @ maps[1], "b": hidden @ maps[2] + private[1] @ maps[3]}, labels


def held_out_loss(formula: str, family: Family, seed: int, rows: int) -> float:
    """Return the log loss on 1,000 new rows after training on `rows`."""
    generator = torch.Generator().manual_seed(seed)
    inputs, labels = family(rows, generator)
    others, truth = family(1000, generator)
    modalities = [Modality(name, "tabular" if x.ndim == 2 else "timeseries", tuple(x.shape[1:])) for name, x in inputs.items()]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = FusionNetwork(FusionGraph.parse(formula, modalities), 2, Recipe(width=16, dropout=0.0))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=1e-2)
    here = {name: torch.ones(rows, dtype=torch.bool) for name in inputs}
    for _ in range(150):
        losses = Losses(labels, class_task(2))
        output = network.run(inputs, here, losses)
        loss = cross_entropy(output.main, labels) + 0.3 * losses.total()
        loss = loss + torch.stack([cross_entropy(scores, labels) for scores in output.scores.values()]).sum() if output.scores else loss
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
        optimizer.step()
    with torch.no_grad():
        return float(cross_entropy(network.eval()(others, {name: torch.ones(1000, dtype=torch.bool) for name in others}), truth))


HIDDEN = "F1 = cat(a@0, b@0; trunk=fc:1) ->"
STREAMS = "a = a:mlp(layers=2) | b = b:mlp(layers=2)\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("formula", "rival", "family", "rows"),
    [
        pytest.param("F1 = product(a@0, b@0) ->", HIDDEN, interaction, 300, id="tensor: interaction"),
        pytest.param("F1 = product(a@0, b@0; trunk=fc:1) ->", HIDDEN, exclusive_or, 300, id="tensor: exclusive or"),
        pytest.param("F1 = cross_attention(a@0, b@0) ->", HIDDEN, retrieval, 400, id="attention: retrieval"),
        pytest.param("F1 = gated_unit(a@0, b@0) ->", HIDDEN, unreliable, 300, id="calibration: one modality noise"),
        pytest.param("F1 = film(a@0, b@0) ->", HIDDEN, gating, 300, id="calibration: gating"),
        pytest.param("F1 = manifold(a@0, b@0) ->", HIDDEN, views, 60, id="sharing: two views"),
        pytest.param(
            f"{STREAMS}F1 = vote_mean(a@score, b@score) ->",
            f"{STREAMS}F1 = cat(a@L, b@L; trunk=fc:1) ->",
            weak,
            60,
            id="decision: weak independent signals",
        ),
    ],
)
def test_the_right_operator_wins(formula: str, rival: str, family: Family, rows: int) -> None:
    losses = [(held_out_loss(formula, family, seed, rows), held_out_loss(rival, family, seed, rows)) for seed in range(5)]
    assert sum(ours < theirs for ours, theirs in losses) >= 4, losses
