"""Time of forward and backward of every operator, against `cat` at equal width and against the plain torch expression of its equation.

    python benchmarks/operators.py [--tokens 64] [--repeats 30] [--json]

One core: start it with OMP_NUM_THREADS=1. Runs are interleaved and measured in processor time, so that other load on the machine moves both
sides alike; a ratio is the median of paired ratios. The plain expressions zero absent arguments by a product with the mask, and do no more
about them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusearch.evaluators.network.operator_layer import Losses, TokenShape
from fusearch.evaluators.operators import LAYERS
from fusearch.evaluators.tasks import bind_task
from fusearch.search_space.entries.parameter import complete_params
from fusearch.search_space.operators import OPERATORS
from fusearch.tasks.classification import Classification

BATCH, WIDTH, CLASSES = 64, 32, 3

Plain = Callable[[list[Tensor]], Tensor]


def linear(size: int, count: int = 1) -> list[nn.Linear]:
    """Return linear layers from WIDTH to `size`."""
    return [nn.Linear(WIDTH, size) for _ in range(count)]


def plain_expressions() -> dict[str, Plain]:
    """Return the straightforward torch expression of each equation that has one, for two arguments of one shape."""
    bilinear = nn.Bilinear(WIDTH + 1, WIDTH + 1, WIDTH, bias=False)
    small, low, pooled = linear(8, 2), linear(4 * WIDTH, 2), linear(2 * WIDTH, 2)
    attention = nn.MultiheadAttention(WIDTH, 4, batch_first=True)
    encoder = nn.TransformerEncoderLayer(WIDTH, 4, 2 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
    lstm, hidden, gates = nn.LSTM(WIDTH, WIDTH, batch_first=True), linear(WIDTH, 2), [nn.Linear(2 * WIDTH, WIDTH) for _ in range(2)]
    film, shift = linear(WIDTH, 2)
    squeeze, excite = nn.Linear(2 * WIDTH, WIDTH // 2), [nn.Linear(WIDTH // 2, WIDTH) for _ in range(2)]
    score = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1))
    mix, gated, position = nn.Linear(2 * WIDTH, WIDTH), nn.Linear(2 * WIDTH, 2 * WIDTH), nn.Linear(WIDTH, 1)

    def one(x: Tensor) -> Tensor:
        return torch.cat([x, torch.ones_like(x[..., :1])], dim=2)

    def normalize(z: Tensor) -> Tensor:
        return functional.normalize(torch.sign(z) * torch.sqrt(z.abs() + 1e-4), dim=2)

    def attend(query: Tensor, keys: Tensor) -> Tensor:
        return query + attention(query, keys, keys, need_weights=False)[0]

    def recur(xs: list[Tensor]) -> Tensor:
        steps = torch.stack([layer(x) for layer, x in zip(hidden, xs, strict=True)], dim=2).flatten(0, 1)
        return lstm(steps)[0][:, -1]

    def recalibrate(xs: list[Tensor]) -> Tensor:
        z = torch.relu(squeeze(torch.cat([x.mean(dim=1) for x in xs], dim=1)))
        return torch.cat([2 * torch.sigmoid(layer(z))[:, None] * x for layer, x in zip(excite, xs, strict=True)], dim=2)

    def gate(xs: list[Tensor]) -> Tensor:
        both = torch.cat(xs, dim=2)
        return sum(torch.sigmoid(g(both)) * torch.tanh(h(x)) for g, h, x in zip(gates, hidden, xs, strict=True))  # type: ignore[return-value]

    def choose(xs: list[Tensor]) -> Tensor:
        h = torch.stack([layer(x) for layer, x in zip(hidden, xs, strict=True)], dim=1)
        return (torch.softmax(score(h), dim=1) * h).sum(dim=1)

    return {
        "cat": lambda xs: torch.cat([x.flatten(1) for x in xs], dim=1),
        "cat_tokens": lambda xs: torch.cat(xs, dim=1),
        "cat_channels": lambda xs: mix(torch.cat(xs, dim=2)),
        "gated_cat": lambda xs: torch.sigmoid(gated(torch.cat(xs, dim=2))) * torch.cat(xs, dim=2),
        "sum": lambda xs: xs[0] + xs[1],
        "mean": lambda xs: (xs[0] + xs[1]) / 2,
        "product": lambda xs: xs[0] * xs[1],
        "max": lambda xs: torch.maximum(xs[0], xs[1]),
        "difference": lambda xs: xs[0] - xs[1],
        "outer": lambda xs: torch.einsum("bti,btj->btij", one(small[0](xs[0])), one(small[1](xs[1]))).flatten(2),
        "bilinear": lambda xs: bilinear(one(xs[0]), one(xs[1])),
        "low_rank": lambda xs: (low[0](xs[0]) * low[1](xs[1])).unflatten(2, (4, WIDTH)).sum(dim=2),
        "factorized_bilinear": lambda xs: normalize((pooled[0](xs[0]) * pooled[1](xs[1])).unflatten(2, (WIDTH, 2)).sum(dim=3)),
        "recurrent": recur,
        "cross_attention": lambda xs: attend(xs[0], xs[1]),
        "co_attention": lambda xs: torch.cat([attend(xs[0], xs[1]), attend(xs[1], xs[0])], dim=2),
        "self_attention": lambda xs: encoder(torch.cat([layer(x) for layer, x in zip(hidden, xs, strict=True)], dim=1)).mean(dim=1),
        "modality_attention": choose,
        "spatial_gate": lambda xs: xs[0] * torch.sigmoid(position(torch.relu(hidden[0](xs[0]) + hidden[1](xs[1])))),
        "mmtm": recalibrate,
        "film": lambda xs: (1 + film(xs[1].mean(dim=1))[:, None]) * xs[0] + shift(xs[1].mean(dim=1))[:, None],
        "gated_unit": gate,
        "vote_mean": lambda xs: torch.log((torch.softmax(xs[0], dim=2) + torch.softmax(xs[1], dim=2)) / 2),
        "product_of_experts": lambda xs: torch.log_softmax(xs[0], dim=2) + torch.log_softmax(xs[1], dim=2),
    }


def seconds(run: Callable[[], Tensor], xs: list[Tensor]) -> float:
    """Return the processor seconds of one forward and backward."""
    for x in xs:
        x.grad = None
    start = time.process_time()
    run().sum().backward()
    return time.process_time() - start


def measure(name: str, plain: Plain | None, tokens: int, repeats: int) -> tuple[float, float, float | None]:
    """Return milliseconds of the operator, its ratio to `cat` with a linear layer to equal width, and its ratio to the plain expression."""
    operator = OPERATORS[name]
    side = int(tokens**0.5)
    shape = TokenShape(1, CLASSES) if operator.scores_only else TokenShape(side * side, WIDTH, (side, side))
    shapes = [shape] * operator.min_args
    params = complete_params({"classes": CLASSES} if operator.classifies else {}, operator.params, name)
    layer = LAYERS[name](shapes, WIDTH, **params)
    xs = [torch.randn(BATCH, shape.tokens, shape.width, requires_grad=True) for shape in shapes]
    present = [torch.ones(BATCH, dtype=torch.bool) for _ in shapes]
    targets, task = torch.arange(BATCH) % CLASSES, bind_task(Classification("class", tuple(map(str, range(CLASSES)))))
    to_width = nn.Linear(len(shapes) * shape.width, WIDTH)

    def ours() -> Tensor:
        losses = Losses(targets, task) if operator.adds_loss else None
        result = layer(xs, present, losses)
        total = torch.stack([each.sum() for each in (result if isinstance(result, list) else [result])]).sum()
        return total + losses.total() if losses is not None else total

    def cat() -> Tensor:
        return to_width(torch.cat(xs, dim=2))

    runs: list[Callable[[], Tensor]] = [ours, cat] + (
        [lambda: plain([x * mask[:, None, None] for x, mask in zip(xs, present, strict=True)])] if plain is not None else []
    )
    for run in runs:
        seconds(run, xs)
    times = [[seconds(run, xs) for run in runs] for _ in range(repeats)]
    ratios = [statistics.median(row[0] / max(row[other], 1e-9) for row in times) for other in range(1, len(runs))]
    return 1000 * statistics.median(row[0] for row in times), ratios[0], ratios[1] if plain is not None else None


def main() -> None:
    """Print one line an operator, the slowest last."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tokens", type=int, default=64, help="tokens of each argument, a square number")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    plain = plain_expressions()
    rows = [(name, *measure(name, plain.get(name), options.tokens, options.repeats)) for name in OPERATORS]
    if options.json:
        print(json.dumps([dict(zip(("operator", "ms", "to_cat", "to_plain"), row, strict=True)) for row in rows]))
        return
    print(f"{BATCH} samples, {options.tokens} tokens of width {WIDTH}, two arguments (expert_gated_unit: four), forward and backward")
    print(f"{'operator':28}{'ms':>8}{'x cat':>8}{'x plain':>9}")
    for name, milliseconds, to_cat, to_plain in sorted(rows, key=lambda row: row[2]):
        print(f"{name:28}{milliseconds:8.2f}{to_cat:8.2f}{'' if to_plain is None else f'{to_plain:9.2f}'}")


if __name__ == "__main__":
    main()
