from __future__ import annotations

import math
from dataclasses import replace

import torch
from hypothesis import given
from hypothesis import strategies as st

from fusearch.evaluators.training.row_order import RowOrder, draw_balanced


def order(rows: int, size: int, seed: int = 0, weights: torch.Tensor | None = None) -> RowOrder:
    return RowOrder(rows, size, torch.Generator().manual_seed(seed), weights)


@given(st.integers(1, 300), st.integers(1, 64))
def test_portions_are_full_and_of_different_rows(rows: int, size: int) -> None:
    portions = [rows for rows, _ in order(rows, size).portions()]
    together = torch.cat(portions).tolist()
    assert len(set(together)) == len(together)
    assert rows - len(together) < max(1, math.ceil(size / 4))  # only a small rest is left to the next epoch
    assert all(len(portion) == size for portion in portions[:-1])
    assert len(portions) == 1 or len(portions[-1]) * 4 >= size
    assert [len(portion) for portion in portions] == order(rows, size).sizes


def test_the_order_of_rows_is_that_of_its_generator() -> None:
    """So streams and designs that use up other random numbers see the same order."""
    torch.rand(3)
    for weights in (None, torch.rand(40, generator=torch.Generator().manual_seed(5))):
        first, _ = order(40, 40, weights=weights).draw()
        assert torch.equal(first, order(40, 40, weights=weights).draw()[0])
        assert not torch.equal(first, order(40, 40, seed=1, weights=weights).draw()[0])
    again = order(40, 40)
    assert not torch.equal(again.draw()[0], again.draw()[0]), "each epoch has an order of its own"


def test_keys_are_drawn_apart_so_that_the_order_is_the_same_with_and_without_them() -> None:
    keyed = replace(order(20, 8), noise=torch.Generator().manual_seed(3))
    rows, keys = keyed.draw()
    assert torch.equal(rows, order(20, 8).draw()[0])
    assert order(20, 8).draw()[1] is None
    assert keys is not None
    assert len(set(keys.tolist())) == len(rows)
    again = replace(order(20, 8), noise=torch.Generator().manual_seed(3)).portions()
    assert torch.equal(torch.cat([part for _, part in again if part is not None]), keys)
    assert [len(part) for part, _ in again] == [len(part) for _, part in again if part is not None] == [8, 8, 4]


@given(st.lists(st.integers(1, 30), min_size=3, max_size=3, unique=True), st.integers(0, 5))
def test_each_class_comes_equally_often(sizes: list[int], seed: int) -> None:
    """Within a class each row comes as often as the others, or once more; classes of equal size are drawn together, as one."""
    first, second, third = sizes
    targets = torch.tensor([0] * first + [1] * second + [2] * third)
    counts = targets.bincount()
    drawn = draw_balanced((len(targets) / (3 * counts))[targets], torch.Generator().manual_seed(seed))
    assert len(drawn) == len(targets)
    shares = targets[drawn].bincount(minlength=3)
    assert (shares - len(targets) / 3).abs().max() <= 1
    for code in range(3):
        times = drawn.bincount(minlength=len(targets))[targets == code]
        assert times.max() - times.min() <= 1


def test_every_row_is_drawn_as_often_as_its_weight_says() -> None:
    weights = torch.tensor([5.0, 1.0, 0.0, 1.0, 0.5, 0.5])
    generator = torch.Generator().manual_seed(0)
    times = sum(draw_balanced(weights, generator).bincount(minlength=6) for _ in range(4000)) / 4000
    torch.testing.assert_close(times, weights * 6 / 8, atol=0.05, rtol=0)
    firsts = torch.stack([draw_balanced(weights, generator)[0] for _ in range(4000)]).bincount(minlength=6) / 4000
    torch.testing.assert_close(firsts, weights / 8, atol=0.05, rtol=0)
