"""Which members of a design are trained together, and what that takes."""

from __future__ import annotations

import pytest
import torch

from fusearch.evaluators.training.member import make_members
from fusearch.evaluators.training.schedule import Packs, first_and_rest, price_of_look, together

CPU = torch.device("cpu")
SMALL = {"parameters": 1e4, "macs": 1e4, "memory": 1e5}


def packs(*sizes: int) -> Packs:
    return [(("design",), tuple(range(size))) for size in sizes]  # type: ignore[misc]  # only their numbers count


def test_the_first_fold_has_all_its_seeds() -> None:
    members = make_members(3, 2)
    assert first_and_rest(members) == (members[:2], members[2:])
    assert first_and_rest(make_members(3, 2, 1)) == (members[:1], ())


@pytest.mark.parametrize(
    ("costs", "count", "device", "most"),
    [
        ({}, 4, CPU, 4),
        ({}, 3, CPU, 1),
        ({"macs": 2e5}, 4, CPU, 1),
        ({"macs": 2e5}, 5, CPU, 5),
        ({"macs": 1e6}, 40, CPU, 1),
        ({"parameters": 1e6}, 10, CPU, 5),
        ({"memory": 2e8}, 10, CPU, 5),
        ({"memory": 5e8}, 10, CPU, 1),
    ],
)
def test_as_many_are_together_as_are_never_slower(costs: dict[str, float], count: int, device: torch.device, most: int) -> None:
    assert together(SMALL | costs, count, device) == most


def test_on_cuda_as_many_are_together_as_fit_into_half_of_the_free_memory() -> None:
    costs, cuda = {"parameters": 1e6, "macs": 1e9, "memory": 76e6}, torch.device("cuda")
    assert [together(costs, count, cuda, free=80e9) for count in (2, 15, 400)] == [2, 15, 400], "arithmetic is no bound there"
    assert [together(costs, 450, cuda, free=free) for free in (80e9, 60e9, 2e9, 1e6)] == [225, 225, 10, 1]
    assert together(costs, 450, torch.device("cpu"), free=80e9) == 1


def test_a_look_is_free_where_packs_stay_as_they_are_and_in_vain_where_nothing_follows() -> None:
    assert price_of_look(packs(1), packs(1, 1, 1, 1), packs(1, 1, 1, 1, 1), CPU) == 0.0
    assert price_of_look(packs(5), packs(5, 5), packs(5, 5, 5), CPU) == pytest.approx(0.0)
    assert price_of_look(packs(1), packs(), packs(1), CPU) == 1.0


def test_a_look_costs_what_a_second_pack_takes() -> None:
    apart, whole = price_of_look(packs(1), packs(4), packs(5), CPU), price_of_look(packs(3), packs(12), packs(15), CPU)
    assert 0.1 < apart < 0.5
    assert whole > price_of_look(packs(30), packs(120), packs(150), CPU), "large packs lose little by being parted"


def test_on_cuda_a_pack_takes_about_as_long_however_large_it_is_so_that_a_look_hardly_pays() -> None:
    assert price_of_look(packs(8), packs(32), packs(40), torch.device("cuda")) > 0.75
