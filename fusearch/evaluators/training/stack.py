"""The same optimization of several members as one: their tensors are stacked, `vmap` takes one step of all of them.

Axis letters: M members, B rows of a step.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.optim.adamw import adamw

from fusearch.errors import EvaluationError
from fusearch.evaluators.network.blocks import Dropout, RecurrentBlock
from fusearch.evaluators.training.member_progress import MemberProgress
from fusearch.evaluators.training.optimization import Fit
from fusearch.evaluators.training.phase import DesignLoss, Phase, PhaseLoss
from fusearch.evaluators.training.samples import PORTION, Samples
from fusearch.evaluators.training.stacked_rows import StackedRows

__all__ = ["CannotStackError", "Stack", "stackable"]

#: How much a loss may differ between a member alone and the same member in a stack, relative, by the type of matrix products.
_TOLERANCES = {torch.float64: 1e-8, torch.float32: 1e-3, torch.bfloat16: 5e-2}

#: A step: losses (M,) of the members from their parameters, buffers and rows.
_LossesOf = Callable[[dict[str, Tensor], dict[str, Tensor], Any], Tensor]


class CannotStackError(EvaluationError):
    """An optimization that must be run alone, and why."""


def stackable(phase: Phase) -> Hashable:
    """Return what two optimizations must have in common to be one: shapes, what they read, settings that are not stacked."""
    state = [*phase.loss.named_parameters(), *phase.loss.named_buffers()]
    shapes = tuple((name, values.shape, values.requires_grad) for name, values in state if name != "class_weights")
    noise = tuple(layer.p for layer in phase.loss.modules() if isinstance(layer, nn.Dropout) and not isinstance(layer, Dropout))
    rows = tuple((name, values.shape[1:]) for name, values in phase.rows.inputs.items())
    return phase.name, type(phase.loss), shapes, noise, rows, phase.held is None, phase.settings.batch_size


class Stack:
    """Optimizations of members that are `stackable`, to be run as one.

    Each member has its own rows, order, learning rate, weight decay, dropout, epochs and patience. A step takes one portion of rows of
    each member; members whose portions differ in size are differentiated side by side, so that no row is padded. Members that have fewer
    steps in an epoch wait. When half of the members are done, the stack goes on with the others.

    Args:
        phases: What the members ask for.
    """

    def __init__(self, phases: Sequence[Phase]) -> None:
        self.phases = list(phases)
        # In this order members whose portions have the same size stand side by side.
        order = sorted(range(len(phases)), key=lambda at: (len(phases[at].rows), _held(phases[at]), *_numbers(phases[at])))
        self.members = order
        for phase in phases:
            phase.loss.train()
        losses = [phases[at].loss for at in order]
        self.template, self.parameters, self.buffers = _stacked(losses)
        self.trained = [name for name, values in self.parameters.items() if values.requires_grad]
        self.rows = StackedRows([phases[at].rows for at in order])
        self.held = None if phases[0].held is None else StackedRows([held for at in order if (held := phases[at].held) is not None])
        self.moments = {name: self.parameters[name].new_zeros((2, *self.parameters[name].shape)) for name in self.trained}
        self.steps = {name: torch.zeros(len(order), device=self.parameters[name].device) for name in self.trained}
        self.best = {name: self.parameters[name].detach().clone() for name in self.trained}
        self.losses_of: _LossesOf = vmap(_call(self.template), randomness="different")
        self.states = [MemberProgress(phase) for phase in phases]

    def run(self) -> list[Fit | EvaluationError]:
        """Train all members, and return what each did, or why it failed, in the order in which they were given.

        Raises:
            CannotStackError: A step of all members at once is not possible, or not what it is alone; nothing was changed.
        """
        for _ in self.epochs():
            pass
        return self.results()

    def epochs(self) -> Iterator[int]:
        """Train all members, and give the number of each epoch when it is done; members may be told to `leave` then.

        Raises:
            CannotStackError: A step of all members at once is not possible, or not what it is alone; nothing was changed.
        """
        self.probe()
        states = self.states
        while running := [at for at in self.members if states[at].goes_on]:
            if 2 * len(running) <= len(self.members):
                self.keep([self.members.index(at) for at in running])
            for at in running:
                states[at].draw(self.rows.device)
            told = self.epoch([states[at].portions for at in self.members])
            judged = self.validate()
            for place, at in enumerate(self.members):
                if states[at].goes_on:
                    states[at].judge(told[place], None if judged is None else judged[place])
            improved = [place for place, at in enumerate(self.members) if at in running and states[at].improved]
            self.remember(improved)
            for at in sorted(running):
                states[at].tell()
                if not states[at].goes_on:
                    self.hand_over(self.members.index(at))
            yield max(states[at].epoch for at in running)
        for phase in self.phases:
            phase.loss.eval()

    def results(self) -> list[Fit | EvaluationError]:
        """Return what each member did so far, or why it failed, in the order in which they were given."""
        return [state.result() for state in self.states]

    def leave(self, at: int, reason: EvaluationError) -> None:
        """Stop a member, given its place in the order in which they were given."""
        self.states[at].error = reason

    def standing(self) -> list[float]:
        """Return the loss of each member on its held-out rows with its best weights so far, in the order in which they were given.

        Classes have no weights in it, so that members with other weights of classes can be compared.
        """
        even = {name: torch.ones_like(values) for name, values in self.buffers.items() if name == "class_weights"}
        here = self.validate({**self.parameters, **self.best}, {**self.buffers, **even})
        found = dict(zip(self.members, here or [], strict=True))
        return [found[at] if at in found else _standing_alone(phase) for at, phase in enumerate(self.phases)]

    def epoch(self, portions: Sequence[Sequence[Tensor]]) -> list[float]:
        """Take the steps of one epoch, and return the mean loss of each member."""
        self.template.train()
        most = max(map(len, portions))
        losses_SM = torch.full((most, len(portions)), math.nan, device=self.rows.device)
        for step in range(most):
            sizes = [len(own[step]) if step < len(own) else 0 for own in portions]
            total: list[Tensor] = []
            for span in _spans(sizes):
                if sizes[span.start]:
                    rows_MB = torch.stack([own[step] for own in portions[span]])
                    losses_M = self.losses(span, self.rows.take(span, rows_MB), self.parameters, self.buffers)
                    losses_SM[step, span] = losses_M.detach().to(losses_SM.dtype)
                    total.append(losses_M.sum())
            # The sum, not the mean: each member gets the gradient that it has alone.
            torch.stack(total).sum().backward()  # type: ignore[no-untyped-call]  # torch leaves Tensor.backward untyped
            self.update([len(own) if size else 0 for own, size in zip(portions, sizes, strict=True)])
        found: list[float] = losses_SM.nanmean(dim=0).tolist()
        return found

    def losses(self, span: slice, rows: Samples, parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> Tensor:
        """Return the losses (M,) of some members, (M, B, ...) rows each, with these values for all members."""
        if span != slice(0, len(self.members)):
            parameters, buffers = ({name: values[span] for name, values in state.items()} for state in (parameters, buffers))
        return self.losses_of(parameters, buffers, (dict(rows.inputs), dict(rows.present), rows.targets))

    @torch.no_grad()
    def update(self, counts: Sequence[int]) -> None:
        """Take a step of AdamW for each member, given its steps in an epoch; not for one that has no more: 0."""
        phases = [self.phases[at] for at in self.members]
        kinds = [(*_numbers(phase), count) if count else None for phase, count in zip(phases, counts, strict=True)]
        for span in _spans(kinds):
            kind = kinds[span.start]
            if kind is None:
                continue
            learning_rate, weight_decay, _ = kind
            for vectors in (False, True):
                names = [
                    name
                    for name in self.trained
                    if (self.parameters[name].ndim <= 2) == vectors and self.parameters[name].grad is not None  # (M, D) is a vector
                ]
                adamw(
                    [self.parameters[name][span] for name in names],
                    [grad[span] for name in names if (grad := self.parameters[name].grad) is not None],
                    [self.moments[name][0, span] for name in names],
                    [self.moments[name][1, span] for name in names],
                    [],
                    [self.steps[name][span.start] for name in names],
                    fused=True,
                    amsgrad=False,
                    beta1=0.9,
                    beta2=0.999,
                    lr=learning_rate,
                    weight_decay=0.0 if vectors else weight_decay,
                    eps=1e-8,
                    maximize=False,
                )
                for name in names:
                    self.steps[name][span] = self.steps[name][span.start]
        for name in self.trained:
            self.parameters[name].grad = None

    @torch.no_grad()
    def validate(self, parameters: dict[str, Tensor] | None = None, buffers: dict[str, Tensor] | None = None) -> list[float] | None:
        """Return the loss of each member on the rows that are held out for it, with these values or its own; None without such rows."""
        if self.held is None:
            return None
        parameters, buffers = parameters or self.parameters, buffers or self.buffers
        self.template.eval()
        found: list[Tensor] = []
        for span in _spans(self.held.lengths):
            length = self.held.lengths[span.start]
            at_once = max(1, PORTION // length)
            for start in range(span.start, span.stop, at_once):
                part = slice(start, min(start + at_once, span.stop))
                rows = torch.arange(length, device=self.rows.device).expand(part.stop - part.start, -1)
                found.append(self.losses(part, self.held.take(part, rows), parameters, buffers))
        values: list[float] = torch.cat(found).tolist()
        return values

    @torch.no_grad()
    def remember(self, places: Sequence[int]) -> None:
        """Keep the weights that some members have now."""
        if len(places) == len(self.members):
            torch._foreach_copy_([self.best[name] for name in self.trained], [self.parameters[name] for name in self.trained])
        elif places:
            index = torch.tensor(places, device=self.rows.device)
            for name in self.trained:
                self.best[name][index] = self.parameters[name][index]

    @torch.no_grad()
    def hand_over(self, place: int) -> None:
        """Give a member its best weights."""
        own = dict(self.phases[self.members[place]].loss.named_parameters())
        for name in self.trained:
            own[name].copy_(self.best[name][place])

    @torch.no_grad()
    def keep(self, places: Sequence[int]) -> None:
        """Go on with some members alone."""
        index = torch.tensor(places, device=self.rows.device)
        self.parameters = {name: values[index].requires_grad_(values.requires_grad) for name, values in self.parameters.items()}
        self.buffers = {name: values[index] for name, values in self.buffers.items()}
        self.moments = {name: values[:, index] for name, values in self.moments.items()}
        self.steps = {name: values[index] for name, values in self.steps.items()}
        self.best = {name: values[index] for name, values in self.best.items()}
        self.rows = self.rows.only(places)
        self.held = None if self.held is None else self.held.only(places)
        self.members = [self.members[place] for place in places]

    def probe(self) -> None:
        """Try a step at random weights: it must be possible, at no slow detour, and each loss what the member has alone.

        Raises:
            CannotStackError: It is not.
        """
        if self.template.half_precision is torch.float16:
            raise CannotStackError("float16 needs a scale of the loss for each member")
        with torch.random.fork_rng(devices=[self.rows.device] if self.rows.device.type == "cuda" else []):
            self._probe()

    def _probe(self) -> None:
        size = min(self.phases[0].settings.batch_size, *self.rows.lengths)
        everyone = slice(0, len(self.members))
        rows = self.rows.take(everyone, torch.arange(size, device=self.rows.device).expand(len(self.members), -1))
        parameters = {name: _moved(values).requires_grad_(values.requires_grad) for name, values in self.parameters.items()}
        buffers = {name: values.clone() for name, values in self.buffers.items()}
        arguments = (dict(rows.inputs), dict(rows.present), rows.targets)
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                self.losses_of(parameters, buffers, arguments).sum().backward()  # type: ignore[no-untyped-call]  # as above
                self.template.network.eval()
                with torch.no_grad():
                    together_M = self.losses_of(parameters, buffers, arguments)
                    alone_M = torch.stack([self._alone(place, parameters, buffers, rows) for place in range(len(self.members))])
        except Exception as error:  # whatever a layer cannot do
            raise CannotStackError(str(error).strip().partition("\n")[0][:200] or type(error).__name__) from error
        slow = [str(each.message) for each in caught if "performance drop" in str(each.message)]
        if slow:
            raise CannotStackError(slow[0].partition(". ")[0][:200])
        changed = [name for name, values in buffers.items() if not torch.equal(values, self.buffers[name])]
        if changed:
            raise CannotStackError(f"training changes the buffer {changed[0].removeprefix('network.')!r}")
        tolerance = _TOLERANCES[self.template.half_precision or alone_M.dtype]
        if not torch.allclose(together_M, alone_M, rtol=tolerance, atol=1e-5, equal_nan=True):
            raise CannotStackError("the loss of a member is another one than alone: a layer or the task holds a number of its own")

    def _alone(self, place: int, parameters: dict[str, Tensor], buffers: dict[str, Tensor], rows: Samples) -> Tensor:
        """Return the loss of one member, by its own module."""
        loss = self.phases[self.members[place]].loss
        named = {name for name, _ in [*loss.named_parameters(), *loss.named_buffers()]}
        own = {name: values[place] for state in (parameters, buffers) for name, values in state.items() if name in named}
        inputs, present = ({name: values[place] for name, values in each.items()} for each in (rows.inputs, rows.present))
        one = Samples(inputs, present, rows.targets[place])
        loss.network.eval()
        try:
            result: Tensor = functional_call(loss, own, (one,))
        finally:
            loss.train()
        return result


@torch.no_grad()
def _standing_alone(phase: Phase) -> float:
    """Return the loss of a member that is done on its held-out rows, without weights of classes."""
    loss, weights = phase.loss.eval(), phase.loss.class_weights
    loss.class_weights = None
    try:
        return float(loss(phase.held))
    finally:
        loss.class_weights = weights


def _stacked(losses: Sequence[PhaseLoss]) -> tuple[PhaseLoss, dict[str, Tensor], dict[str, Tensor]]:
    """Return a module without values, and the parameters and buffers of all members, (M, ...) each."""
    weights = [loss.class_weights for loss in losses]
    known = next((each for each in weights if each is not None), None)
    named = [dict(loss.named_parameters()) for loss in losses]
    held = [{name: values for name, values in loss.named_buffers() if name != "class_weights"} for loss in losses]
    parameters = {
        name: torch.stack([own[name].detach() for own in named]).requires_grad_(values.requires_grad) for name, values in named[0].items()
    }
    buffers = {name: torch.stack([own[name] for own in held]) for name in held[0]}
    template = copy.deepcopy(losses[0]).to("meta")
    if known is not None:  # members without weights of classes have equal ones
        buffers["class_weights"] = torch.stack([torch.ones_like(known) if each is None else each for each in weights])
        template.class_weights = torch.empty_like(known, device="meta")
    if isinstance(template, DesignLoss):
        template.drops = any(loss.drops for loss in losses if isinstance(loss, DesignLoss))
    for name, layer in template.named_modules():
        if isinstance(layer, RecurrentBlock):
            layer.written_out = True
        own = [loss.get_submodule(name).p for loss in losses] if isinstance(layer, Dropout) else []
        if isinstance(layer, Dropout) and len(set(own)) > 1:
            like = next(iter(parameters.values()))
            buffers[f"{name}.probability"] = torch.tensor(own, dtype=like.dtype, device=like.device)
            layer.probability = torch.empty((), device="meta")
    return template, parameters, buffers


def _call(template: PhaseLoss) -> Callable[[dict[str, Tensor], dict[str, Tensor], Any], Tensor]:
    """Return the loss as a function of parameters, buffers and rows. Weights that have two names are looked for once, as that is slow."""
    tied = len(list(template.named_parameters(remove_duplicate=False))) > len(list(template.named_parameters()))

    def call(parameters: dict[str, Tensor], buffers: dict[str, Tensor], rows: Any) -> Tensor:
        result: Tensor = functional_call(template, (parameters, buffers), (Samples(*rows),), tie_weights=tied)
        return result

    return call


def _moved(values: Tensor) -> Tensor:
    """Return other values nearby: fresh heads are zero, which hides what comes before them."""
    values = values.detach()
    return values + 0.1 * torch.randn_like(values) if values.is_floating_point() else values.clone()


def _held(phase: Phase) -> int:
    return 0 if phase.held is None else len(phase.held)


def _numbers(phase: Phase) -> tuple[float, float]:
    return phase.recipe.learning_rate, phase.recipe.weight_decay


def _spans(keys: Sequence[Hashable]) -> list[slice]:
    """Return the stretches of equal keys."""
    spans, start = [], 0
    for _, group in groupby(keys):
        stop = start + len(list(group))
        spans.append(slice(start, stop))
        start = stop
    return spans
