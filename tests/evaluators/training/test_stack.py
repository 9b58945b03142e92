"""The same optimization of several members as one."""

from __future__ import annotations

from collections import deque

import pytest
import torch
from stacked_phases import phase_of

from fusearch.evaluators.training.stack import CannotStackError, Stack
from fusearch.search_space import Recipe


def test_each_member_takes_the_steps_of_torchs_adamw() -> None:
    """The same gradients to both; the second member has no more steps after the fifth."""
    recipes = [Recipe(width=8, learning_rate=1e-2, weight_decay=0.3), Recipe(width=8, learning_rate=1e-3, weight_decay=0.0)]
    phases = [phase_of(recipe) for recipe in recipes]
    for phase in phases:
        phase.loss.double()
    stack = Stack(phases)
    stack.sizes = [[8] * 9, [8] * 5]
    assert [phases[at].recipe for at in stack.members] == recipes[::-1]  # by learning rate
    alone = [[values[place].detach().clone().requires_grad_() for values in stack.parameters.values()] for place in (0, 1)]
    optimizers = [
        torch.optim.AdamW(
            [{"params": [each], "weight_decay": recipe.weight_decay if each.ndim > 1 else 0.0} for each in own], lr=recipe.learning_rate
        )
        for own, recipe in zip(alone, recipes[::-1], strict=True)
    ]
    generator = torch.Generator().manual_seed(0)
    for step in range(9):
        active = [True, step < 5]
        gradients = [torch.randn(values.shape, generator=generator, dtype=values.dtype) for values in stack.parameters.values()]
        for at, gradient in enumerate(gradients):
            for place in (0, 1):
                alone[place][at].grad = gradient[place].clone()
        part = slice(0, sum(active))
        stack.update(part, [gradient[part] for gradient in gradients])
        for optimizer, here in zip(optimizers, active, strict=True):
            if here:
                optimizer.step()
    for at, values in enumerate(stack.parameters.values()):
        for place in (0, 1):
            torch.testing.assert_close(values[place], alone[place][at], rtol=0, atol=1e-12)


def test_half_of_the_members_done_leave_the_stack() -> None:
    phases = [phase_of(Recipe(width=8, learning_rate=rate), epochs=epochs) for rate, epochs in ((1e-2, 1), (2e-2, 1), (3e-2, 3))]
    stack = Stack(phases)
    stack.probe()
    deque(stack.epochs(), maxlen=0)
    fits = stack.results()
    assert [fit.epochs for fit in fits] == [1, 1, 3]
    assert stack.members == [2]
    assert [len(values) for values in stack.parameters.values()] == [1] * len(stack.parameters)


def test_float16_is_left_to_the_loop() -> None:
    with pytest.raises(CannotStackError, match="float16 needs a scale of the loss for each member"):
        Stack([phase_of(Recipe(width=8), half=torch.float16) for _ in range(2)]).probe()


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
