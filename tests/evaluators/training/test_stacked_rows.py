"""Rows of several members: each takes its own, and what they share is held once."""

from __future__ import annotations

import torch

from fusearch.evaluators.training.samples import Samples
from fusearch.evaluators.training.stacked_rows import StackedRows


def make(count: int, start: int) -> Samples:
    values = torch.arange(start, start + count)
    return Samples({"a": values[:, None].double().expand(-1, 2)}, {"a": values % 2 == 0}, values)


def test_each_member_takes_its_own_rows() -> None:
    first, second = make(4, 0), make(6, 100)
    rows = StackedRows([first, first, second])
    assert rows.lengths == [4, 4, 6]
    taken = rows.take(slice(0, 3), torch.tensor([[0, 3], [1, 2], [5, 0]]))
    assert taken.targets.tolist() == [[0, 3], [1, 2], [105, 100]]
    assert taken.inputs["a"].tolist() == [[[0, 0], [3, 3]], [[1, 1], [2, 2]], [[105, 105], [100, 100]]]
    assert taken.present["a"].tolist() == [[True, False], [False, True], [False, True]]
    assert rows.take(slice(2, 3), torch.tensor([[1]])).targets.tolist() == [[101]]


def test_members_of_a_fold_share_its_rows() -> None:
    first, second = make(4, 0), make(6, 100)
    assert len(StackedRows([first, second, first, second]).targets.values) == 10
    assert StackedRows([first, first]).targets.values is first.targets


def test_whole_rows_are_no_copy_for_members_of_a_fold() -> None:
    first, second = make(4, 0), make(4, 100)
    rows = StackedRows([first, first, second])
    for span in (slice(0, 2), slice(1, 3), slice(2, 3)):
        numbers_MB = torch.arange(4).expand(span.stop - span.start, -1)
        taken, whole = rows.take(span, numbers_MB), rows.whole(span)
        for theirs, ours in ((taken.inputs, whole.inputs), (taken.present, whole.present), ({"": taken.targets}, {"": whole.targets})):
            assert all(torch.equal(theirs[name], ours[name]) for name in theirs)
    held = rows.inputs["a"].values.untyped_storage().data_ptr()
    own = [rows.whole(span).inputs["a"].untyped_storage().data_ptr() == held for span in (slice(0, 2), slice(2, 3), slice(1, 3))]
    assert own == [True, True, False]
    kept = rows.only([1, 2])
    assert kept.whole(slice(1, 2)).targets.tolist() == [[100, 101, 102, 103]]


def test_some_members_keep_their_rows() -> None:
    kept = StackedRows([make(4, 0), make(4, 100), make(6, 200)]).only([0, 2])
    assert kept.lengths == [4, 6]
    assert kept.take(slice(0, 2), torch.tensor([[3], [5]])).targets.tolist() == [[3], [205]]
