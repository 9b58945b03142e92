"""The same optimization of several members as one: their tensors are stacked, `vmap` takes one step of all of them.

Axis letters: M members, B rows of a step.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor
from torch.func import functional_call

from fusearch.errors import EvaluationError
from fusearch.evaluators.training.captured import RECORDERS, Captures
from fusearch.evaluators.training.member_progress import MemberProgress
from fusearch.evaluators.training.optimization import Fit
from fusearch.evaluators.training.phase import Phase, PhaseLoss
from fusearch.evaluators.training.samples import PORTION, Samples
from fusearch.evaluators.training.stacked_adamw import StackedAdamW, laid_out_as, only, spans
from fusearch.evaluators.training.stacked_losses import NEUTRAL, losses_of, stack_losses
from fusearch.evaluators.training.stacked_rows import StackedRows

__all__ = ["CannotStackError", "Stack"]

#: How much a loss may differ between a member alone and the same member in a stack, relative.
_TOLERANCES = {torch.float64: 1e-8, torch.float32: 1e-3}


class CannotStackError(EvaluationError):
    """An optimization that must be run alone, and why."""


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
        self.template, self.parameters, self.buffers = stack_losses(losses)
        self.trained = [name for name, values in self.parameters.items() if values.requires_grad]
        self.rows = StackedRows([phases[at].rows for at in order])
        self.held = None if phases[0].held is None else StackedRows([held for at in order if (held := phases[at].held) is not None])
        self.losses_of = losses_of(self.template)
        self.states = [MemberProgress(phase) for phase in phases]
        self.sizes = [phases[at].order.sizes for at in order]
        self._start({})
        self.orders_MSB = torch.zeros(len(order), max(map(len, self.sizes)), phases[0].settings.batch_size, dtype=torch.long)
        changes = any(phase.order.noise is not None for phase in phases)
        self.keys_MSB = torch.zeros_like(self.orders_MSB) if changes else None
        self.at_once = len(order)
        self.captures = Captures(self.rows.device)
        self._begin()

    def _begin(self) -> None:
        """Make what the regions read and write; they are captured anew."""
        self.rows_MB = torch.zeros_like(self.orders_MSB[:, 0], device=self.rows.device)
        self.keys_MB = None if self.keys_MSB is None else torch.zeros_like(self.rows_MB)
        self.losses_M, self.held_M = torch.zeros(2, len(self.members), device=self.rows.device)
        self.improved_M = torch.zeros(len(self.members), dtype=torch.bool, device=self.rows.device)
        self.captures.forget()

    @torch.no_grad()
    def _start(self, gradients: Mapping[str, Tensor]) -> None:
        """Have nothing trained yet; parameters lie in memory as their gradients do, where these are known."""
        for name, gradient in gradients.items():
            self.parameters[name] = laid_out_as(self.parameters[name], gradient).requires_grad_()
        self.best = {name: self.parameters[name].detach().clone() for name in self.trained}
        numbers = [(*_numbers(self.phases[at]), len(own)) for at, own in zip(self.members, self.sizes, strict=True)]
        self.optimizer = StackedAdamW([self.parameters[name] for name in self.trained], numbers)

    def epochs(self) -> Iterator[int]:
        """Train all members, and give the number of each epoch when it is done; members may be told to `leave` then.

        What cannot be stacked must have been found by `probe` before.
        """
        while any(state.goes_on for state in self.states):
            self.keep([place for place, at in enumerate(self.members) if self.states[at].goes_on])
            running = [(place, at, self.states[at]) for place, at in enumerate(self.members) if self.states[at].goes_on]
            for place, _, state in running:
                rows, keys = state.phase.order.draw()
                self.orders_MSB[place].view(-1)[: len(rows)] = rows
                if self.keys_MSB is not None and keys is not None:
                    self.keys_MSB[place].view(-1)[: len(keys)] = keys
            losses, held_losses = self.epoch(), self.validate()
            for place, _, state in running:
                state.judge(losses[place], None if held_losses is None else held_losses[place])
            self.remember([place for place, _, state in running if state.improved])
            for place, _, state in sorted(running, key=lambda each: each[1]):
                state.tell()
                if not state.goes_on:
                    self.hand_over(place)
            yield max(state.epoch for _, _, state in running)
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

        It has no weights of classes and no gamma, so that members with others can be compared.
        """
        even = {name: torch.full_like(values, NEUTRAL[name]) for name, values in self.buffers.items() if name in NEUTRAL}
        here = self.held_losses({**self.parameters, **self.best}, {**self.buffers, **even}).tolist()
        found = dict(zip(self.members, here, strict=True))
        return [found[at] if at in found else _standing_alone(phase) for at, phase in enumerate(self.phases)]

    def epoch(self) -> list[float]:
        """Take the steps of one epoch, in the order that was drawn, and return the mean loss of each member."""
        most = max(map(len, self.sizes))
        orders_SMB = self.orders_MSB.transpose(0, 1).to(self.rows.device)  # one copy an epoch
        keys_SMB = None if self.keys_MSB is None else self.keys_MSB.transpose(0, 1).to(self.rows.device)
        losses_SM = torch.empty(most, len(self.members), device=self.rows.device)
        for step in range(most):
            sizes = tuple(own[step] if step < len(own) else 0 for own in self.sizes)
            self.rows_MB.copy_(orders_SMB[step])
            if self.keys_MB is not None and keys_SMB is not None:
                self.keys_MB.copy_(keys_SMB[step])
            self._region(sizes, partial(self.step, sizes))
            losses_SM[step].copy_(self.losses_M)
        return [total / len(own) for total, own in zip(losses_SM.sum(dim=0).tolist(), self.sizes, strict=True)]

    def step(self, sizes: Sequence[int]) -> None:
        """Take a step of each member on its next portion of rows, so many of them; 0: it has no more in this epoch.

        What is read and written stays where it is: `rows_MB`, `keys_MB`, `losses_M`, parameters, what the optimizer keeps.
        """
        self.template.train()
        self.losses_M.zero_()
        gradients = dict[int, tuple[Tensor | None, ...]]()
        parts = [part for span in spans(sizes) if sizes[span.start] for part in _parts(span, self.at_once)]
        for part in parts:
            parameters = {name: values[part].detach().requires_grad_(values.requires_grad) for name, values in self.parameters.items()}
            buffers = {name: values[part] for name, values in self.buffers.items()}
            rows = self.rows.take(part, self.rows_MB[part, : sizes[part.start]])
            rows = rows if self.keys_MB is None else replace(rows, keys=self.keys_MB[part, : sizes[part.start]])
            losses_M = self.losses_of(parameters, buffers, _plain(rows))
            self.losses_M[part] = losses_M.detach()
            # The sum, not the mean: each member gets the gradient that it has alone.
            gradients[part.start] = torch.autograd.grad(losses_M.sum(), [parameters[name] for name in self.trained], allow_unused=True)
        for part in parts:  # last, as memory may run out before: then nothing has changed
            self.optimizer.step(part, gradients[part.start])

    def validate(self) -> list[float] | None:
        """Return the loss of each member on the rows that are held out for it; None without such rows."""
        if self.held is None:
            return None
        self._region("validate", self._validate)
        values: list[float] = self.held_M.tolist()
        return values

    @torch.no_grad()
    def _validate(self) -> None:
        self.held_M.copy_(self.held_losses(self.parameters, self.buffers))

    @torch.no_grad()
    def held_losses(self, parameters: Mapping[str, Tensor], buffers: Mapping[str, Tensor]) -> Tensor:
        """Return the loss (M,) of each member on its held-out rows, with these values."""
        self.template.eval()
        held = self.held or self.rows
        found: list[Tensor] = []
        for span in spans(held.lengths):
            length = held.lengths[span.start]
            for part in _parts(span, min(self.at_once, max(1, PORTION // length))):
                own, fixed = ({name: values[part] for name, values in state.items()} for state in (parameters, buffers))
                found.append(self.losses_of(own, fixed, _plain(held.whole(part))))
        return torch.cat(found)

    def remember(self, places: Sequence[int]) -> None:
        """Keep the weights that some members have now."""
        if places:
            improved_M = torch.zeros(len(self.members), dtype=torch.bool)
            improved_M[list(places)] = True
            self.improved_M.copy_(improved_M)
            self._region("remember", self._remember)

    @torch.no_grad()
    def _remember(self) -> None:
        for name in self.trained:
            values, best = self.parameters[name], self.best[name]
            torch.where(self.improved_M.view(-1, *[1] * (values.ndim - 1)), values, best, out=best)

    def _region(self, name: Hashable, work: Callable[[], None]) -> None:
        """Run work that is done again and again, with fewer members at once where memory runs out."""
        while True:
            try:
                return self.captures.run(name, work)
            except torch.OutOfMemoryError:
                if self.at_once == 1:
                    raise
            self.at_once = -(-self.at_once // 2)
            self.captures.forget()

    @torch.no_grad()
    def hand_over(self, place: int) -> None:
        """Give a member its best weights."""
        own = dict(self.phases[self.members[place]].loss.named_parameters())
        torch._foreach_copy_([own[name] for name in self.trained], [self.best[name][place] for name in self.trained])

    @torch.no_grad()
    def keep(self, places: Sequence[int]) -> None:
        """Go on with these members alone, where they are few enough to be worth it."""
        if _share_left(self.rows.device) * len(places) > len(self.members):
            return
        self.parameters = {name: only(values, places).requires_grad_(values.requires_grad) for name, values in self.parameters.items()}
        self.buffers = {name: only(values, places) for name, values in self.buffers.items()}
        self.best = {name: only(values, places) for name, values in self.best.items()}
        self.optimizer.keep([self.parameters[name] for name in self.trained], places)
        self.rows = self.rows.only(places)
        self.held = None if self.held is None else self.held.only(places)
        self.members = [self.members[place] for place in places]
        self.sizes = [self.sizes[place] for place in places]
        self.orders_MSB = self.orders_MSB[list(places)]
        self.keys_MSB = None if self.keys_MSB is None else self.keys_MSB[list(places)]
        self._begin()

    def probe(self) -> None:
        """Try a step at random weights: it must be possible, at no slow detour, and each loss what the member has alone.

        Raises:
            CannotStackError: It is not; nothing was changed, and nobody was told of anything.
            torch.OutOfMemoryError: There is no memory for so many members, and the same holds.
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
        arguments = _plain(rows if self.keys_MB is None else replace(rows, keys=self.keys_MB[:, :size]))
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                trained = [parameters[name] for name in self.trained]
                gradients = torch.autograd.grad(self.losses_of(parameters, buffers, arguments).sum(), trained, allow_unused=True)
                self.template.network.eval()
                with torch.no_grad(), _full_precision([self.template, *(phase.loss for phase in self.phases)]):
                    together_M = self.losses_of(parameters, buffers, arguments)
                    compared = self._compared()
                    alone_M = torch.stack([self._alone(place, parameters, buffers, rows) for place in compared])
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever a layer cannot do
            raise CannotStackError(str(error).strip().partition("\n")[0][:200] or type(error).__name__) from error
        slow = [str(each.message) for each in caught if "performance drop" in str(each.message)]
        if slow:
            raise CannotStackError(slow[0].partition(". ")[0][:200])
        changed = [name for name, values in buffers.items() if not torch.equal(values, self.buffers[name])]
        if changed:
            raise CannotStackError(f"training changes the buffer {changed[0].removeprefix('network.')!r}")
        if not torch.allclose(together_M[compared], alone_M, rtol=_TOLERANCES[alone_M.dtype], atol=1e-5, equal_nan=True):
            raise CannotStackError("the loss of a member is another one than alone: a layer or the task holds a number of its own")
        self._start({name: gradient for name, gradient in zip(self.trained, gradients, strict=True) if gradient is not None})

    def _compared(self) -> list[int]:
        """Return the places of the members whose loss is looked at: of each recipe and rows the first and the last."""
        keys = [(self.phases[at].recipe, id(self.phases[at].rows.targets)) for at in self.members]
        first = {key: place for place, key in reversed(list(enumerate(keys)))}
        last = {key: place for place, key in enumerate(keys)}
        return sorted({*first.values(), *last.values()})

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


@contextmanager
def _full_precision(losses: Sequence[PhaseLoss]) -> Iterator[None]:
    """Have no half precision inside the block: it rounds otherwise in a stack, and a vote may hang on that."""
    before = [loss.half_precision for loss in losses]
    try:
        for loss in losses:
            loss.half_precision = None
        yield
    finally:
        for loss, half in zip(losses, before, strict=True):
            loss.half_precision = half


@torch.no_grad()
def _standing_alone(phase: Phase) -> float:
    """Return the loss of a member that is done on its held-out rows, without weights of classes and gamma."""
    loss = phase.loss.eval()
    own = {name: getattr(loss, name) for name in NEUTRAL}
    try:
        for name in NEUTRAL:
            setattr(loss, name, None)
        return float(loss(phase.held))
    finally:
        for name, values in own.items():
            setattr(loss, name, values)


def _moved(values: Tensor) -> Tensor:
    """Return other values nearby: fresh heads are zero, which hides what comes before them."""
    values = values.detach()
    return values + 0.1 * torch.randn_like(values) if values.is_floating_point() else values.clone()


def _held(phase: Phase) -> int:
    return 0 if phase.held is None else len(phase.held)


def _numbers(phase: Phase) -> tuple[float, float]:
    return phase.recipe.learning_rate, phase.recipe.weight_decay


def _plain(rows: Samples) -> tuple[dict[str, Tensor] | Tensor, ...]:
    return dict(rows.inputs), dict(rows.present), rows.targets, *(() if rows.keys is None else (rows.keys,))


def _parts(span: slice, most: int) -> list[slice]:
    """Return a stretch in parts of so many members at most."""
    return [slice(start, min(start + most, span.stop)) for start in range(span.start, span.stop, most)]


def _share_left(device: torch.device) -> int:
    """Return what part of the members is left when a stack goes on without the others: a graph must be captured anew then."""
    return 4 if device.type in RECORDERS else 2
