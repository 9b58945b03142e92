"""Regions that are captured and replayed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from cpu_tape import Tape
from torch import Tensor

from fusearch.evaluators.training.captured import RECORDERS, WARM_UP, Captures

CPU = torch.device("cpu")


@pytest.fixture
def taped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECORDERS, "cpu", Tape)


def counter() -> tuple[Tensor, list[int], Callable[[], None]]:
    """Return a tensor, how often Python ran, and a region that adds 1."""
    values, calls = torch.zeros(3), list[int]()

    def region() -> None:
        calls.append(1)
        values.add_(torch.ones_like(values))

    return values, calls, region


def test_without_a_way_to_capture_a_region_is_run_as_it_is() -> None:
    values, calls, region = counter()
    captures = Captures(CPU)
    for _ in range(5):
        captures.run("add", region)
    assert (values.tolist(), len(calls), captures.reason) == ([5.0] * 3, 5, None)


@pytest.mark.usefixtures("taped")
def test_a_region_is_run_then_noted_then_replayed_and_each_time_counts_once() -> None:
    values, calls, region = counter()
    captures = Captures(CPU)
    for done in range(1, 7):
        captures.run("add", region)
        assert values.tolist() == [done] * 3
    assert len(calls) == WARM_UP + 1


@pytest.mark.usefixtures("taped")
def test_a_replay_draws_other_noise_each_time_and_what_the_seed_says() -> None:
    noise = torch.zeros(4)
    captures, found = Captures(CPU), list[list[float]]()

    def region() -> None:
        noise.copy_(torch.rand_like(noise))

    for _ in range(5):
        captures.run("noise", region)
        found.append(noise.tolist())
    assert len({tuple(each) for each in found}) == 5
    torch.manual_seed(3)
    expected = torch.rand(4).tolist()
    torch.manual_seed(3)
    captures.run("noise", lambda: pytest.fail("it is replayed"))
    assert noise.tolist() == expected


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize(
    ("what", "why"),
    [
        (lambda values: values.sum().item(), "it waits for a value"),
        (lambda values: values[values > 1], "its shape hangs on values"),
        (torch.nonzero, "it waits for a value"),
        (lambda values: values + torch.tensor([1.0, 2.0, 3.0]), "a tensor is made from Python values"),
    ],
)
def test_what_a_graph_cannot_hold_is_run_as_it_is_and_told(
    what: Callable[[Tensor], object], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU the runs before the capture do it all the same, as they do here."""
    monkeypatch.setattr("cpu_tape.Tape.warm_up", lambda _, region: region())
    values, calls, region = counter()
    captures = Captures(CPU)

    def both() -> None:
        region()
        what(values)

    for _ in range(5):
        captures.run("add", both)
    assert values.tolist() == [5.0] * 3
    assert len(calls) == 6, "the capture that failed ran it too, and it was undone"
    assert captures.reason is not None
    assert why in captures.reason


@pytest.mark.usefixtures("taped")
def test_memory_that_runs_out_in_a_capture_is_told_as_such() -> None:
    """A capture that is broken off ends with another error, which names that of the memory as its context."""
    captures = Captures(CPU)

    def region() -> None:
        if captures._runs["much"] == WARM_UP:
            try:
                raise torch.OutOfMemoryError("tried to allocate 20 GiB")
            finally:
                torch.ones(2) @ torch.ones(3)

    for _ in range(WARM_UP):
        captures.run("much", region)
    with pytest.raises(torch.OutOfMemoryError):
        captures.run("much", region)
    assert captures.reason is None
