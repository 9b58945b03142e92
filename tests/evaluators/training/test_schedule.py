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
        ({"macs": 1e6}, 40, CPU, 1),
        ({"parameters": 1e6}, 10, CPU, 5),
        ({"memory": 2e8}, 10, CPU, 5),
        ({"memory": 5e8}, 10, CPU, 1),
        ({}, 40, torch.device("cuda"), 1),
    ],
)
def test_as_many_are_together_as_are_never_slower(costs: dict[str, float], count: int, device: torch.device, most: int) -> None:
    assert together(SMALL | costs, count, device) == most


def test_a_look_is_free_where_packs_stay_as_they_are_and_in_vain_where_nothing_follows() -> None:
    assert price_of_look(packs(1), packs(1, 1, 1, 1), packs(1, 1, 1, 1, 1)) == 0.0
    assert price_of_look(packs(5), packs(5, 5), packs(5, 5, 5)) == pytest.approx(0.0)
    assert price_of_look(packs(1), packs(), packs(1)) == 1.0


def test_a_look_costs_what_a_second_pack_takes() -> None:
    apart, whole = price_of_look(packs(1), packs(4), packs(5)), price_of_look(packs(3), packs(12), packs(15))
    assert 0.1 < apart < 0.5
    assert whole > price_of_look(packs(30), packs(120), packs(150)), "large packs lose little by being parted"
