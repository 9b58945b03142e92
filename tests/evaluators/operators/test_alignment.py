"""How arguments of different tokens and widths are brought together."""

from __future__ import annotations

import itertools

import torch

from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.evaluators.operators.alignment import Align, Alignment, any_present, common_shape, mask_all, masked_mean, means, with_one


def test_common_shape_does_not_depend_on_the_order() -> None:
    shapes = [TokenShape(1, 9), TokenShape(8, 3), TokenShape(8, 4, (2, 4)), TokenShape(8, 2, (4, 2)), TokenShape(6, 1, (6,))]
    assert {common_shape(order, 5) for order in itertools.permutations(shapes)} == {TokenShape(8, 5, (4, 2))}


def test_align_projects_only_where_the_widths_differ() -> None:
    same, other = TokenShape(3, 4), TokenShape(3, 5)
    assert not list(Align(same, same).parameters())
    assert [tuple(parameter.shape) for parameter in Align(same, other).parameters()] == [(5, 4)]
    assert len(list(Align(same, same, bias=True, always=True).parameters())) == 2


def test_an_alignment_takes_one_target_or_one_an_argument() -> None:
    shapes = [TokenShape(1, 4), TokenShape(6, 3, (2, 3))]
    xs = [torch.randn(2, shape.tokens, shape.width) for shape in shapes]
    assert [tuple(x.shape) for x in Alignment(shapes, TokenShape(6, 5, (2, 3)))(xs)] == [(2, 6, 5), (2, 6, 5)]
    assert [tuple(x.shape) for x in Alignment(shapes, [TokenShape(2, 5), TokenShape(1, 3)])(xs)] == [(2, 2, 5), (2, 1, 3)]


def test_means_are_over_what_is_present() -> None:
    xs = [torch.full((3, 2, 1), 2.0), torch.full((3, 2, 1), 6.0)]
    present = [torch.tensor([True, True, False]), torch.tensor([True, False, False])]
    assert masked_mean(mask_all(xs, present), present)[:, 0, 0].tolist() == [4.0, 2.0, 0.0]
    assert any_present(present).tolist() == [True, True, False]
    assert means(xs).tolist() == [[2.0, 6.0]] * 3


def test_with_one_appends_a_one() -> None:
    assert with_one(torch.zeros(1, 1, 2)).tolist() == [[[0.0, 0.0, 1.0]]]
