"""How many trials fit into nodes as Ray tells them; Ray itself is not needed for that."""

import pytest

from fusearch.errors import RunError
from fusearch.search.ray_slots import Slots, fit


def node(alive=True, **resources):
    return {"Alive": alive, "Resources": {"memory": 1e9, **resources}}


@pytest.mark.parametrize(
    ("nodes", "needed", "expected"),
    [
        ([], {"CPU": 1}, 0),
        ([node(CPU=4), node(CPU=2)], {"CPU": 1}, 6),
        ([node(CPU=4), node(CPU=2, alive=False)], {"CPU": 1}, 4),
        ([node(CPU=3), node(CPU=3)], {"CPU": 2}, 2),  # a trial lies on one node
        ([node(CPU=16, GPU=2), node(CPU=64)], {"CPU": 1, "GPU": 1}, 2),
        ([node(CPU=16, GPU=2)], {"CPU": 1, "GPU": 0.4}, 4),  # a part of a GPU lies on one GPU
        ([node(CPU=1)], {"CPU": 0.1, "GPU": 0}, 10),
        ([node()], {"CPU": 1}, 0),
    ],
)
def test_trials_that_fit_are_counted_node_by_node(nodes, needed, expected):
    assert fit(nodes, needed) == expected


def test_ray_is_asked_now_and_then_and_again_where_something_was_lost(monkeypatch):
    now, asked, nodes = [100.0], [], [node(CPU=1)]
    monkeypatch.setattr("fusearch.search.ray_slots.time.monotonic", lambda: now[0])
    slots = Slots({"CPU": 1}, lambda: asked.append(now[0]) or list(nodes))
    assert [slots.number() for _ in range(50)] == [1] * 50
    nodes.append(node(CPU=2))
    assert (slots.number(), asked) == (1, [100.0])
    now[0] += Slots.LOOK_SECONDS
    assert slots.number() == 3
    nodes.pop()
    slots.look_again()
    assert slots.number() == 1
    assert len(asked) == 3


def test_a_search_does_not_begin_where_no_trial_fits():
    Slots({"CPU": 1}, lambda: [node(CPU=1)]).check()
    with pytest.raises(RunError, match="a trial needs 1 GPU, Ray offers 0: lower gpus_per_trial"):
        Slots({"CPU": 1, "GPU": 1}, lambda: [node(CPU=1), node(CPU=4, GPU=4, alive=False)]).check()
    with pytest.raises(RunError, match="a trial needs 8 CPU and 1 GPU, and no node of Ray has that"):
        Slots({"CPU": 8, "GPU": 1}, lambda: [node(CPU=8), node(CPU=4, GPU=1)]).check()
