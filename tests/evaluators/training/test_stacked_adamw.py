"""AdamW of several members: each takes the steps that it takes alone, and a gradient is read where it lies."""

from __future__ import annotations

import pytest
import torch
from device_of_tests import DEVICE
from torch import Tensor

from fusearch.evaluators.training import stacked_adamw
from fusearch.evaluators.training.stacked_adamw import StackedAdamW, laid_out_as, only

#: Learning rate, weight decay, steps of an epoch: the first two are one call.
NUMBERS = [(0.1, 0.5, 3), (0.1, 0.5, 3), (0.02, 0.0, 2), (0.3, 0.1, 2)]
SHAPES = [(5, 3), (3,), (2, 3, 4)]


def drawn(seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(len(NUMBERS), *shape, dtype=torch.float64, generator=generator).to(DEVICE) for shape in SHAPES]


def transposed(values: Tensor) -> Tensor:
    """Return the same values, the last two axes of which lie in memory the other way round, as `bmm` gives them."""
    return values.mT.contiguous().mT if values.ndim > 2 else values


def alone(place: int, gradients: list[list[Tensor]]) -> list[Tensor]:
    """Return what torch's own AdamW makes of one member."""
    learning_rate, weight_decay, _ = NUMBERS[place]
    own = [values[place].clone().requires_grad_() for values in drawn(0)]
    groups = [{"params": [values], "weight_decay": weight_decay if values.ndim > 1 else 0.0} for values in own]
    optimizer = torch.optim.AdamW(groups, lr=learning_rate, fused=True)
    for step in gradients:
        for values, gradient in zip(own, step, strict=True):
            values.grad = gradient[place].clone(memory_format=torch.contiguous_format)
        optimizer.step()
    return own


@pytest.mark.parametrize("laid_out", [True, False])
def test_each_member_takes_the_steps_that_it_takes_alone(laid_out: bool) -> None:
    gradients = [[transposed(values) for values in drawn(seed)] for seed in (1, 2, 3)]
    start = drawn(0)
    values = [laid_out_as(*pair) for pair in zip(start, gradients[0], strict=True)] if laid_out else start
    optimizer = StackedAdamW(values, NUMBERS)
    for step in gradients:
        optimizer.step(slice(0, 4), step)
    for place in range(len(NUMBERS)):
        for found, expected in zip(values, alone(place, gradients), strict=True):
            torch.testing.assert_close(found[place], expected.detach(), rtol=1e-12, atol=1e-12)


def test_those_that_stay_go_on_with_what_they_have() -> None:
    gradients = [[transposed(values) for values in drawn(seed)] for seed in (1, 2, 3)]
    values = [laid_out_as(*pair) for pair in zip(drawn(0), gradients[0], strict=True)]
    optimizer = StackedAdamW(values, NUMBERS)
    optimizer.step(slice(0, 2), [each[:2] for each in gradients[0]])  # in two parts, as where memory is short
    optimizer.step(slice(2, 4), [each[2:] for each in gradients[0]])
    optimizer.step(slice(0, 2), [each[:2] for each in gradients[1]])  # the others have no more steps in this epoch
    kept = [only(each, [1, 3]) for each in values]
    optimizer.keep(kept, [1, 3])
    optimizer.step(slice(0, 2), [only(each, [1, 3]) for each in gradients[2]])
    for at, (place, steps) in enumerate([(1, gradients), (3, gradients[::2])]):
        for found, expected in zip(kept, alone(place, steps), strict=True):
            torch.testing.assert_close(found[at], expected.detach(), rtol=1e-12, atol=1e-12)


def test_a_member_that_has_no_more_steps_waits() -> None:
    gradients = [drawn(seed) for seed in (1, 2, 3, 4)]
    values = drawn(0)
    optimizer = StackedAdamW(values, NUMBERS)
    for number, step in enumerate(gradients):
        part = slice(0, 4 if number < 2 else 2)  # the last two have two steps in an epoch
        optimizer.step(part, [each[part] for each in step])
    for place, steps in enumerate([4, 4, 2, 2]):
        for found, expected in zip(values, alone(place, gradients[:steps]), strict=True):
            torch.testing.assert_close(found[place], expected.detach(), rtol=1e-12, atol=1e-12)


def test_a_gradient_is_read_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[int]()

    def adamw(values: list[Tensor], gradients: list[Tensor], *_: object, **__: object) -> None:
        assert all(each.is_contiguous() for each in [*values, *gradients])
        read.extend(gradient.data_ptr() for gradient in gradients)

    monkeypatch.setattr(stacked_adamw, "adamw", adamw)
    gradients = [transposed(values) for values in drawn(1)]
    values = [laid_out_as(*pair) for pair in zip(drawn(0), gradients, strict=True)]
    StackedAdamW(values, [NUMBERS[0]] * 4).step(slice(0, 4), gradients)
    assert sorted(read) == sorted(gradient.data_ptr() for gradient in gradients)


def test_a_tensor_without_a_gradient_stays_as_it_is() -> None:
    values = drawn(0)
    StackedAdamW(values, NUMBERS).step(slice(0, 4), [None, drawn(1)[1], None])
    changed = [not torch.equal(now, before) for now, before in zip(values, drawn(0), strict=True)]
    assert changed == [False, True, False]


@pytest.mark.parametrize("gradient", [torch.ones(2, 1, 1).expand(2, 4, 3), torch.ones(3, 4, 2).permute(2, 1, 0)])
def test_values_stay_as_they_lie_where_no_member_of_the_gradient_has_a_piece_without_gaps(gradient: Tensor) -> None:
    values = torch.randn(2, 4, 3)
    assert laid_out_as(values, gradient) is values


def test_members_are_taken_with_their_axes_as_they_lie() -> None:
    values = transposed(drawn(0)[0])
    few = only(values, [2, 0])
    assert torch.equal(few, values[[2, 0]])
    assert few.stride() == values.stride()
