"""The losses of several members as one module: their parameters and buffers are stacked. Axis letters: M members."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from fusearch.evaluators.network.blocks import Dropout, RecurrentBlock
from fusearch.evaluators.training.phase import DesignLoss, Phase, PhaseLoss
from fusearch.evaluators.training.samples import Samples

__all__ = ["NEUTRAL", "LossesOf", "losses_of", "stack_losses", "stackable"]

#: Buffers that some members have and others lack, and the value that changes nothing.
NEUTRAL = {"class_weights": 1.0, "held_weights": 1.0, "focal": 0.0, "strengths": 0.0}

#: Losses (M,) of the members from their parameters, buffers and rows, all of them with a first axis M.
LossesOf = Callable[[dict[str, Tensor], dict[str, Tensor], Any], Tensor]


def stackable(phase: Phase) -> Hashable:
    """Return what two optimizations must have in common to be one: shapes, what they read, settings that are not stacked."""
    state = [*phase.loss.named_parameters(), *phase.loss.named_buffers()]
    shapes = tuple((name, values.shape, values.requires_grad) for name, values in state if name not in NEUTRAL)
    numbers = tuple(_numbers(layer) for layer in phase.loss.network.modules())
    rows = tuple((name, values.shape[1:]) for name, values in phase.rows.inputs.items())
    return phase.name, type(phase.loss), shapes, numbers, rows, phase.held is None, phase.settings.batch_size


def _numbers(layer: nn.Module) -> tuple[tuple[str, Hashable], ...]:
    """Return the numbers and words that a layer keeps beside its tensors: a stack has those of its first member, for all.

    The probability of our own dropout is stacked; that of torch's, or of a plug-in, is such a number.
    """
    kept = {name: value for name, value in vars(layer).items() if isinstance(value, int | float | str) and not name.startswith("_")}
    ours = {"training"} | ({"p"} if isinstance(layer, Dropout) else set())
    return tuple((name, value) for name, value in sorted(kept.items()) if name not in ours)


def stack_losses(losses: Sequence[PhaseLoss]) -> tuple[PhaseLoss, dict[str, Tensor], dict[str, Tensor]]:
    """Return a module without values, and the parameters and buffers of all members, (M, ...) each."""
    named = [dict(loss.named_parameters()) for loss in losses]
    held = [{name: values for name, values in loss.named_buffers() if name not in NEUTRAL} for loss in losses]
    parameters = {
        name: torch.stack([own[name].detach() for own in named]).requires_grad_(values.requires_grad) for name, values in named[0].items()
    }
    buffers = {name: torch.stack([own[name] for own in held]) for name in held[0]}
    template = copy.deepcopy(losses[0]).to("meta")
    for name, neutral in NEUTRAL.items():
        own = [getattr(loss, name) for loss in losses]
        known = next((values for values in own if values is not None), None)
        if known is not None:
            buffers[name] = torch.stack([torch.full_like(known, neutral) if values is None else values for values in own])
            setattr(template, name, torch.empty_like(known, device="meta"))
    if isinstance(template, DesignLoss):
        template.drops = any(loss.drops for loss in losses if isinstance(loss, DesignLoss))
    for name, layer in template.named_modules():
        if isinstance(layer, RecurrentBlock):
            layer.written_out = True
        rates = [loss.get_submodule(name).p for loss in losses] if isinstance(layer, Dropout) else []
        if isinstance(layer, Dropout) and len(set(rates)) > 1:
            like = next(iter(parameters.values()))
            buffers[f"{name}.probability"] = torch.tensor(rates, dtype=like.dtype, device=like.device)
            layer.probability = torch.empty((), device="meta")
    return template, parameters, buffers


def losses_of(template: PhaseLoss) -> LossesOf:
    """Return the losses (M,) of members as a function of their parameters, buffers and rows."""
    # Weights that have two names are looked for once, as that is slow.
    tied = len(list(template.named_parameters(remove_duplicate=False))) > len(list(template.named_parameters()))

    def call(parameters: dict[str, Tensor], buffers: dict[str, Tensor], rows: Any) -> Tensor:
        inputs, present, targets, *keys = rows
        batch = Samples(inputs, present, targets, keys=keys[0] if keys else None)
        result: Tensor = functional_call(template, (parameters, buffers), (batch,), tie_weights=tied)
        return result

    stacked: LossesOf = vmap(call, randomness="different")
    return stacked
