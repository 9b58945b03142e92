"""The same optimization of several members as one."""

from __future__ import annotations

from collections import deque
from contextlib import nullcontext

import pytest
import torch
from stacked_phases import phase_of

from fusearch.evaluators.training.stack import CannotStackError, Stack
from fusearch.search_space import Recipe


def test_members_that_share_their_numbers_stand_side_by_side() -> None:
    rates = (1e-2, 1e-3, 1e-2)
    stack = Stack([phase_of(Recipe(width=8, learning_rate=rate)) for rate in rates])
    assert [rates[at] for at in stack.members] == sorted(rates)
    assert [rate for rate, _, _ in stack.optimizer.numbers] == sorted(rates)


def test_half_of_the_members_done_leave_the_stack() -> None:
    phases = [phase_of(Recipe(width=8, learning_rate=rate), epochs=epochs) for rate, epochs in ((1e-2, 1), (2e-2, 1), (3e-2, 3))]
    stack = Stack(phases)
    stack.probe()
    deque(stack.epochs(), maxlen=0)
    fits = stack.results()
    assert [fit.epochs for fit in fits] == [1, 1, 3]
    assert stack.members == [2]
    assert [len(values) for values in stack.parameters.values()] == [1] * len(stack.parameters)


def test_after_a_probe_parameters_lie_in_memory_as_their_gradients_do(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack([phase_of(Recipe(width=8)) for _ in range(3)])
    stack.probe()
    seen = list[torch.Tensor]()
    monkeypatch.setattr(stack.optimizer, "step", lambda _, gradients: seen.extend(gradients))
    stack.epoch()
    strides = [stack.parameters[name].stride() for name in stack.trained]
    assert [gradient.stride() for gradient in seen] == strides * max(map(len, stack.sizes))
    assert any(not stack.parameters[name].is_contiguous() for name in stack.trained)


def test_float16_is_left_to_the_loop() -> None:
    with pytest.raises(CannotStackError, match="float16 needs a scale of the loss for each member"):
        Stack([phase_of(Recipe(width=8), half=torch.float16) for _ in range(2)]).probe()


def test_a_probe_compares_in_full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding differs in a stack, and a vote may hang on it."""
    used = list[torch.dtype | None]()
    monkeypatch.setattr("fusearch.evaluators.training.phase.half_precision", lambda _, dtype: nullcontext(used.append(dtype)))
    stack = Stack([phase_of(Recipe(width=8), half=torch.bfloat16) for _ in range(3)])
    stack.probe()
    assert used == [torch.bfloat16, None, None, None, None]  # gradients; all together, each alone
    assert {loss.half_precision for loss in (stack.template, *(phase.loss for phase in stack.phases))} == {torch.bfloat16}


def test_a_probe_changes_nothing() -> None:
    phases = [phase_of(Recipe(width=8)) for _ in range(2)]
    stack = Stack(phases)
    before = {name: values.clone() for name, values in stack.parameters.items()}
    random = torch.get_rng_state()
    stack.probe()
    assert all(torch.equal(values, before[name]) for name, values in stack.parameters.items())
    assert all(values.grad is None for values in stack.parameters.values())
    assert torch.equal(torch.get_rng_state(), random)
    assert [phase.order.generator.get_state().tolist() for phase in phases] == [torch.Generator().manual_seed(0).get_state().tolist()] * 2
