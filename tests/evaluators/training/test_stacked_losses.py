"""The losses of several members as one module."""

from __future__ import annotations

import torch
from stacked_phases import phase_of, samples
from torch import nn

from fusearch.evaluators.training.phase import Phase
from fusearch.evaluators.training.stacked_losses import losses_of, stack_losses, stackable
from fusearch.search_space import Recipe


def keys(*phases: Phase) -> int:
    return len({stackable(phase) for phase in phases})


def test_what_is_stackable() -> None:
    recipe = Recipe(width=8)
    others = [Recipe(width=8, dropout=0.5, learning_rate=1e-2, weight_decay=0.0, modality_dropout=0.3, loss_weight=1.0)]
    assert keys(phase_of(recipe), *(phase_of(other, rows=30, epochs=1) for other in others)) == 1
    assert keys(phase_of(recipe), phase_of(Recipe(width=16))) == 2


def test_dropout_of_torch_itself_must_be_the_same() -> None:
    """A plug-in may use it; its probability is a number, not a buffer."""

    def plugged(probability: float) -> Phase:
        phase = phase_of(Recipe(width=8))
        phase.loss.network.heads.append(nn.Dropout(probability))
        return phase

    assert keys(plugged(0.1), plugged(0.1)) == 1
    assert keys(plugged(0.1), plugged(0.2)) == 2


def test_a_number_that_a_plug_in_keeps_must_be_the_same() -> None:
    """Dropout by `nn.functional.dropout(x, self.rate, self.training)`: a stack would have that of its first member for all."""

    class Noisy(nn.Module):
        def __init__(self, rate: float) -> None:
            super().__init__()
            self.rate = rate

    def plugged(rate: float) -> Phase:
        phase = phase_of(Recipe(width=8))
        phase.loss.network.heads.append(Noisy(rate))
        return phase

    assert keys(plugged(0.1), plugged(0.1)) == 1
    assert keys(plugged(0.0), plugged(0.9)) == 2


def test_the_losses_of_all_are_what_each_has_alone_and_nothing_is_held_twice() -> None:
    phases = [phase_of(Recipe(width=8, loss_weight=weight)) for weight in (0.1, 1.0)]
    with torch.no_grad():
        for place, phase in enumerate(phases):
            for values in phase.loss.parameters():
                values += 0.1 * (place + 1) * torch.randn_like(values)
    template, parameters, buffers = stack_losses([phase.loss.eval() for phase in phases])
    assert {values.device.type for values in template.parameters()} == {"meta"}
    rows = samples(6, 2)
    inputs, present = ({name: torch.stack([values] * 2) for name, values in each.items()} for each in (rows.inputs, rows.present))
    found = losses_of(template)(parameters, buffers, (inputs, present, torch.stack([rows.targets] * 2)))
    torch.testing.assert_close(found, torch.stack([phase.loss(rows) for phase in phases]))
    assert abs((found[0] - found[1]).item()) > 1e-4
