"""The conformance suite of operators. Built-ins and plug-ins pass the same laws.

The naive twin `expected` is decision 0035. A suite is a class of pytest tests; this module itself does not need pytest.
"""

# ruff: noqa: S101  # laws are assertions

from __future__ import annotations

import inspect
import itertools

import torch
from torch import Tensor

from fusearch.evaluators.network.operator_layer import Losses
from fusearch.evaluators.operators import LAYERS
from fusearch.evaluators.shape_pass import ShapePass
from fusearch.evaluators.tasks import bind_task
from fusearch.search_space.entries.parameter import Param, Value, complete_params
from fusearch.tasks.regression import Regression
from fusearch.testing.deployment import check_members, check_onnx, check_torch_export
from fusearch.testing.operator_case import WIDTH, OperatorCase

__all__ = ["OperatorSuite"]


class OperatorSuite(OperatorCase):
    """The laws of an operator and its layer.

    Attributes:
        name: Name of the operator.
        params: Parameters that differ from their defaults.
        features_move: Whether swapping the arguments of a symmetric operator may reorder the features of the result, as in a concatenation.
        no_vmap: Why the layer cannot run under `torch.vmap` (members are then trained one after the other); empty if it can.

    Example:
        >>> class TestMyOperator(OperatorSuite):
        ...     name = "my_operator"
    """

    def test_layer_matches_its_naive_twin(self) -> None:
        """The layer gives what `expected` gives, to 1e-10, with every choice of every parameter and every mask."""
        if type(self).expected is OperatorSuite.expected:
            import pytest

            pytest.skip(f"{self.name} gives no naive twin (`expected`)")
        changes = [{name: value} for name, param in self.operator.params.items() for value in self._values(name, param)]
        for shapes, changed in itertools.product(self.twin_shapes(), changes or [{}]):
            layer = self.build(shapes, changed)
            params = complete_params({**self.params, **changed}, self.operator.params, self.name)
            masks = list(itertools.product([True, False], repeat=len(shapes)))
            xs, _ = self.inputs(shapes, batch=len(masks))
            xs = [torch.where(torch.tensor([mask[i] for mask in masks])[:, None, None], x, 0.0) for i, x in enumerate(xs)]
            results = self.run(layer, xs, [torch.tensor([mask[i] for mask in masks]) for i in range(len(shapes))])
            for row, mask in enumerate(masks):
                with torch.no_grad():
                    twin = self.expected(layer, [x[row] for x in xs], list(mask), params)
                for result, value in zip(results, twin if isinstance(twin, list) else [twin], strict=True):
                    torch.testing.assert_close(result[row], value, rtol=1e-10, atol=1e-10, msg=lambda text: f"{changed}, {mask}: {text}")  # noqa: B023  # called at once

    def test_entry_and_layer_agree(self) -> None:
        """The entry tells all, and the layer takes exactly its parameters."""
        operator = self.operator
        assert operator.equation, "an operator states its equation"
        assert operator.reference, "an operator names its source"
        assert operator.absent, "an operator says what an absent argument does"
        accepted = [
            parameter.name
            for parameter in inspect.signature(LAYERS[self.name]).parameters.values()
            if parameter.kind is parameter.KEYWORD_ONLY
        ]
        assert accepted == list(operator.params), f"{self.name}: the layer takes {accepted}, the operator has {list(operator.params)}"

    def test_any_tokens_and_widths(self) -> None:
        """The layer works for all shapes, gives the shape that it promises, and keeps what the entry says."""
        for shapes in self.shape_sets():
            layer = self.build(shapes)
            xs, present = self.inputs(shapes)
            results = self.run(layer, xs, present)
            outs = layer.out if isinstance(layer.out, tuple) else (layer.out,)
            given, promised = [tuple(result.shape) for result in results], [(5, out.tokens, out.width) for out in outs]
            assert given == promised, f"{self.name}: results of shape {given}, `out` promises {promised}, for {shapes}"
            assert all(result.isfinite().all() for result in results), f"{self.name}: not finite for {shapes}"
            if self.operator.keeps != "none":
                kept = tuple(shapes[:1]) if self.operator.keeps == "first" else tuple(shapes)
                assert outs == kept, f"{self.name} keeps {self.operator.keeps}: `out` is {outs}, expected {kept}"

    def test_the_entry_tells_where_the_result_has_one_token(self) -> None:
        """What a space takes for one vector is one: to it parts are offered that would be idle on one token, and parameters left out."""
        params = complete_params(self.params, self.operator.params, self.name)
        for shapes in self.shape_sets():
            out = self.build(shapes).out
            many = tuple(shape.tokens > 1 for shape in shapes)
            told = many if isinstance(out, tuple) else (self.operator.has_many(params, many),)
            for shape, said in zip(out if isinstance(out, tuple) else (out,), told, strict=True):
                assert said or shape.tokens == 1, f"{self.name}: the entry's `tokens` says one, `out` is {shape} for {shapes}"

    def test_samples_do_not_mix(self) -> None:
        """Each sample gets what it gets alone, in any batch and in any order."""
        for shapes in (self.shapes(), next(self.shape_sets())):
            layer = self.build(shapes)
            xs, present = self.inputs(shapes)
            together = self.run(layer, xs, present)
            order = torch.tensor([3, 1, 4, 0, 2])
            for rows in (order, order[:1], order[2:4]):
                part = self.run(layer, [x[rows] for x in xs], [mask[rows] for mask in present])
                for whole, few in zip(together, part, strict=True):
                    torch.testing.assert_close(few, whole[rows], rtol=1e-10, atol=1e-10)

    def test_symmetric_arguments_may_change_places(self) -> None:
        """A symmetric operator computes the same functions whatever the order of its arguments."""
        if not self.operator.commutes(complete_params(self.params, self.operator.params, self.name)):
            return
        sets = [list(shapes) for shapes in self.shape_sets()]
        if self.operator.keeps == "first":  # the network orders arguments of different shapes itself (`argument_order`)
            sets = [[shapes[0]] * len(shapes) for shapes in sets]
        for shapes in sets:
            layer = self.build(shapes)
            xs, present = self.inputs(shapes)
            results = self.run(layer, xs, present)
            for order in itertools.permutations(range(len(shapes))):
                other = self.build([shapes[i] for i in order], seed=1)
                other.load_state_dict(self.permute_state(layer, order, shapes))
                moved = self.run(other, [xs[i] for i in order], [present[i] for i in order])
                expected = [results[i] for i in order] if self.operator.ports else results
                for left, right in zip(moved, expected, strict=True):
                    pair = (left.sort(dim=-1).values, right.sort(dim=-1).values) if self.features_move else (left, right)
                    torch.testing.assert_close(*pair, rtol=1e-9, atol=1e-9)

    def test_absent_content_has_no_influence(self) -> None:
        """What stands in an absent argument changes neither result, loss nor gradient, even if it is not finite."""
        shapes = self.shapes()
        layer = self.build(shapes)
        for row_masks in itertools.product([True, False], repeat=len(shapes)):
            present = [torch.tensor([True, mask, True]) for mask in row_masks]
            outcomes = []
            for filler in (0.0, 1e30, float("nan")):
                xs, _ = self.inputs(shapes, batch=3)
                xs = [torch.where(mask[:, None, None], x, filler).requires_grad_() for x, mask in zip(xs, present, strict=True)]
                losses = self.losses(3, shapes)
                results = self.run(layer, xs, present, losses)
                total = torch.stack([result.sum() for result in results] + (losses.terms if losses is not None else [])).sum()
                grads = torch.autograd.grad(total, [*xs, *self.trained(layer)], allow_unused=True)
                outcomes.append([*results, total, *(grad for grad in grads if grad is not None)])
                for grad, mask in zip(grads, present, strict=False):
                    assert grad is None or (grad[~mask] == 0).all(), f"{self.name}: an absent argument gets a gradient"
            for outcome in outcomes:
                for value, expected in zip(outcome, outcomes[0], strict=True):
                    assert value.isfinite().all(), f"{self.name}: not finite with {row_masks}"
                    torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-12)

    def test_gradients_reach_everything(self) -> None:
        """Every argument and every parameter gets a gradient that is not all zero; an untrained vote has no parameter."""
        shapes = self.shapes()
        layer = self.build(shapes).train()
        xs, present = self.inputs(shapes, batch=6)
        xs = [x.requires_grad_() for x in xs]
        losses = self.losses(6, shapes)
        results = self.run(layer, xs, present, losses)
        generator = torch.Generator().manual_seed(3)
        total = torch.stack([(result * torch.randn(result.shape, generator=generator)).sum() for result in results]).sum()
        (total + losses.total() if losses is not None else total).backward()  # type: ignore[no-untyped-call]  # torch has no type for it
        for index, x in enumerate(xs):
            assert x.grad is not None, f"{self.name}: argument {index} gets no gradient"
            assert x.grad.isfinite().all(), f"{self.name}: the gradient of argument {index} is not finite"
            assert x.grad.abs().sum() > 0, f"{self.name}: the gradient of argument {index} is zero"
        assert self.operator.trained or not self.trained(layer), f"{self.name}: an untrained vote has parameters"
        for key, parameter in layer.named_parameters():
            assert parameter.grad is not None, f"{self.name}: {key} gets no gradient"
            assert parameter.grad.isfinite().all(), f"{self.name}: the gradient of {key} is not finite"
            assert parameter.grad.abs().sum() > 0, f"{self.name}: the gradient of {key} is zero"

    def test_parameters_are_honoured(self) -> None:
        """Each choice of each parameter builds, and each gives another result, shape or loss."""
        shapes = self.shapes()
        for name, param in self.operator.params.items():
            outcomes: list[list[Tensor]] = []
            for value in self._values(name, param):
                layer = self.build(shapes, {name: value})
                xs, present = self.inputs(shapes)
                losses = self.losses(5, shapes)
                outcome = [result.detach() for result in self.run(layer, xs, present, losses)]
                outcomes.append([*outcome, losses.total().detach()] if losses is not None else outcome)
            for left, right in itertools.combinations(outcomes, 2):
                same = all(a.shape == b.shape and torch.allclose(a, b) for a, b in zip(left, right, strict=True))
                assert not same, f"{self.name}: two values of {name!r} give the same result"

    def test_losses_come_in_training_only(self) -> None:
        """An operator that adds a loss adds finite scalars to the sink, and rows of weight zero do not count; the others add nothing."""
        shapes = self.shapes()
        layer = self.build(shapes)
        xs, present = self.inputs(shapes, batch=6)
        targets = self.targets(6, shapes)
        for each, task in ((targets, self.task(shapes)), (targets.double(), bind_task(Regression("value")))):
            losses = Losses(each, task)
            layer(xs, present, losses)
            assert bool(losses.terms) == self.operator.adds_loss, f"{self.name}: adds {len(losses.terms)} losses, the entry says otherwise"
            assert all(term.ndim == 0 and term.isfinite() for term in losses.terms), f"{self.name}: losses are finite scalars"
            padded = Losses(torch.cat([each, each[:2]]), task, weights=torch.tensor([1.0] * 6 + [0.0] * 2, dtype=torch.float64))
            layer([torch.cat([x, 7 * x[:2]]) for x in xs], [torch.cat([mask, mask[:2]]) for mask in present], padded)
            torch.testing.assert_close(padded.total(), losses.total(), rtol=1e-10, atol=1e-10)

    def test_cost_is_known_from_shapes(self) -> None:
        """The layer is built and run on shapes alone: it reads no values, and its results have the shapes that it promises."""
        for changed in [{name: value} for name, param in self.operator.params.items() for value in self._values(name, param)] or [{}]:
            params = complete_params({**self.params, **changed}, self.operator.params, self.name)
            shapes = self.shapes()
            with ShapePass():
                layer = LAYERS[self.name](shapes, WIDTH, **params).train()
                xs = [torch.empty(5, shape.tokens, shape.width) for shape in shapes]
                losses = Losses(self.targets(5, shapes).to("meta"), self.task(shapes))
                results = self.run(layer, xs, [torch.ones(5, dtype=torch.bool) for _ in shapes], losses)
            outs = layer.out if isinstance(layer.out, tuple) else (layer.out,)
            given, promised = [tuple(result.shape) for result in results], [(5, out.tokens, out.width) for out in outs]
            assert given == promised, f"{self.name}: from shapes alone results of shape {given}, `out` promises {promised}"

    def test_members_run_in_one_batch(self) -> None:
        """Three networks give under vmap what each gives alone."""
        if not self.no_vmap:
            shapes = self.shapes()
            check_members([self.build(shapes, seed=seed) for seed in range(3)], *self.inputs(shapes))

    def test_torch_export(self) -> None:
        """The exported program gives the same."""
        check_torch_export(*self.deployable())

    def check_onnx(self) -> None:
        """The ONNX file gives the same. Takes seconds: call it in a test of your own, marked slow."""
        check_onnx(*self.deployable())

    def _values(self, name: str, param: Param) -> tuple[Value, ...]:
        return param.choices or ((False, True) if isinstance(param.default, bool) else (self.params.get(name, param.default),))
