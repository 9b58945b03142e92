"""Losses that need no target against their equations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from toy_tasks import class_task

from fusearch.evaluators.network.operator_layer import Losses
from fusearch.evaluators.operators.pretexts import reversed_gradient
from fusearch.testing import OperatorSuite, affine


class Pretext(OperatorSuite):
    """A loss over the rows that have each argument."""

    def naive_loss(self, layer: Any, samples: list[list[Tensor]]) -> float:
        """Return the loss from the rows that have each argument."""
        raise NotImplementedError

    def added(self, present: list[Tensor] | None = None, batch: int = 6) -> tuple[Any, Losses, list[list[Tensor]]]:
        layer: Any = self.build(self.shapes())
        xs, here = self.inputs(self.shapes(), batch=batch, seed=2)
        losses, here = Losses(torch.arange(batch) % 3, class_task(3)), here if present is None else present
        layer(xs, here, losses)
        return layer, losses, [[x[row] for row in range(batch) if here[m][row]] for m, x in enumerate(xs)]

    @torch.no_grad()
    def test_loss_matches_its_naive_twin(self) -> None:
        layer, losses, samples = self.added()
        assert float(losses.total().detach()) == pytest.approx(self.naive_loss(layer, samples), rel=1e-9)

    def test_it_is_finite_where_a_modality_is_absent_everywhere(self) -> None:
        present = [torch.full((3,), m > 0) for m in range(len(self.shapes()))]
        assert self.added(present, batch=3)[1].total().isfinite()


def relu(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.0)


class TestReconstruction(Pretext):
    name = "reconstruction"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> list[Tensor]:
        return [torch.stack([relu(affine(layer.align[m].project, token)) for token in x]) for m, x in enumerate(xs)]

    def naive_loss(self, layer: Any, samples: list[list[Tensor]]) -> float:
        total = 0.0
        for m, rows in enumerate(samples):
            errors = [
                float((token - affine(layer.decode[m], relu(affine(layer.align[m].project, token)))).square().mean())
                for x in rows
                for token in x
            ]
            total += sum(errors) / len(errors) / len(samples)
        return total

    def test_what_is_made_again_gets_no_gradient_as_a_target(self) -> None:
        """Else features could be shrunk to nothing, which is easily made again."""
        layer: Any = self.build(self.shapes())
        with torch.no_grad():
            for align in layer.align:
                align.project.weight.zero_()
        xs, present = self.inputs(self.shapes(), batch=4)
        moving = [x.requires_grad_() for x in xs]
        losses = Losses(torch.arange(4) % 3, class_task(3))
        layer(moving, present, losses)
        assert all(float(grad.abs().max()) == 0 for grad in torch.autograd.grad(losses.total(), moving))


class TestAdversarial(Pretext):
    name = "adversarial"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> list[Tensor]:
        return [torch.stack([affine(layer.align[m].project, token) for token in x]) for m, x in enumerate(xs)]

    def naive_loss(self, layer: Any, samples: list[list[Tensor]]) -> float:
        first, _, last = layer.discriminator
        total = 0.0
        for m, rows in enumerate(samples):
            terms = []
            for x in rows:
                mean = sum(affine(layer.align[m].project, token) for token in x) / len(x)
                scores = affine(last, relu(affine(first, mean))).tolist()
                terms.append(math.log(sum(map(math.exp, scores))) - scores[m])
            total += sum(terms) / len(terms) / len(samples)
        return total

    def test_the_discriminator_learns_and_the_projections_learn_the_opposite(self) -> None:
        _, losses, _ = self.added(batch=12)
        before = float(losses.total().detach())
        for name, sign in (("discriminator", -1), ("align", 1)):
            moved, told, _ = self.added(batch=12)
            parameters = list(getattr(moved, name).parameters())
            slopes = torch.autograd.grad(told.total(), parameters)
            with torch.no_grad():
                for parameter, grad in zip(parameters, slopes, strict=True):
                    parameter -= 1e-3 * grad
            xs, present = self.inputs(self.shapes(), batch=12, seed=2)
            after = Losses(torch.arange(12) % 3, class_task(3))
            moved(xs, present, after)
            assert math.copysign(1, float(after.total().detach()) - before) == sign


def test_a_reversed_gradient_is_that_of_the_negative() -> None:
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    (grad,) = torch.autograd.grad((3 * reversed_gradient(x)).sum(), x)
    assert reversed_gradient(x).tolist() == [1.0, -2.0]
    assert grad.tolist() == [-3.0, -3.0]
